"""One server for many readers: cache, queue, memory, sessions, uploads, jobs."""
