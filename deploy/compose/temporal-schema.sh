#!/bin/sh
# Makes Temporal's two databases and brings their schemas up to date; safe to repeat, and what an upgrade needs first.
set -eu
for database in temporal visibility; do
  name=temporal
  [ "$database" = temporal ] || name=temporal_visibility
  sql() { temporal-sql-tool --plugin postgres12 --ep postgres -p 5432 -u meshwright --db "$name" "$@"; }
  sql create || echo "database $name is there"
  sql setup-schema -v 0.0 || echo "schema of $name is there"
  sql update-schema -d "/etc/temporal/schema/postgresql/v12/$database/versioned"
done
