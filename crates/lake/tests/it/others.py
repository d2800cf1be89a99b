"""Counts outcomes in a lake as others see it: reader, the folder of `results`, then its files."""
import sys

reader, table, *files = sys.argv[1:]
sql = "select outcome, count(*) n, count(distinct name) names, sum(length(suite)) suites from {} group by 1 order by 1"
if reader == "duckdb":
    import duckdb

    rows = duckdb.sql(sql.format("read_parquet(%r)" % files)).fetchall()
else:
    import chdb

    sql = sql.replace("outcome,", "outcome, ", 1).format("deltaLakeLocal('%s')" % table)
    rows = [line.split("\t") for line in str(chdb.query(sql, "TSV")).splitlines()]
for row in rows:
    print("|".join(str(value) for value in row))
