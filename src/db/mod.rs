//! The database: pool, migrator, embedded cluster; one file of queries per table; change feed.
