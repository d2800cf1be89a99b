//! Questions in SQL.
