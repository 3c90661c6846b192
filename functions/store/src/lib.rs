//! Object stores behind one trait of S3 verbs.
