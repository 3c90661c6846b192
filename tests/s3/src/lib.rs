//! A strict S3 server for tests, with seeded faults.
