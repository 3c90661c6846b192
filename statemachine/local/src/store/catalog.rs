//! Tables of what surrounds state machines: settings of revisions, versions, aliases, tags, activities.

/// Made beside the tables of executions; a database of before they existed gets them when it is opened.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS revision_settings (
  revision INTEGER PRIMARY KEY, uuid TEXT, settings TEXT NOT NULL, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS versions (
  arn TEXT PRIMARY KEY, machine TEXT NOT NULL, number INTEGER NOT NULL, revision INTEGER NOT NULL,
  description TEXT, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS version_numbers (machine TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS aliases (
  id INTEGER PRIMARY KEY, arn TEXT NOT NULL UNIQUE, machine TEXT NOT NULL, name TEXT NOT NULL, description TEXT,
  routing TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tags (
  id INTEGER PRIMARY KEY, resource TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (resource, key));
CREATE TABLE IF NOT EXISTS activities (
  arn TEXT PRIMARY KEY, name TEXT NOT NULL, created INTEGER NOT NULL, encryption TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS origins (execution INTEGER PRIMARY KEY, version TEXT, alias TEXT);
";
