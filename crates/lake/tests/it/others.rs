//! What other programs make of the tables.
