"""What pages share."""

import os

# Arrow's own allocator sets 1 GiB of addresses aside for the first table, which count where a process's memory is limited.
# It is chosen when Arrow is first imported.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
