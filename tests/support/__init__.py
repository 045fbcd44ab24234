"""What tests, benchmarks and nightly runs share: servers of the app, readers of it, small trainings, failing disks."""
