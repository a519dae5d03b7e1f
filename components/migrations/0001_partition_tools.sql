-- The functions that make partitions by quarter ahead and put old ones away.

-- parking_entries is partitioned by location first, so this says which of its tables are divided by quarter.
CREATE TABLE partitioned_by_quarter (
    table_name text PRIMARY KEY
);

-- Quarters that are missing between this one and the wished number ahead. Nothing is made twice. A quarter whose rows
-- already lie in the default partition is refused by PostgreSQL, hence the default is emptied into it first.
CREATE FUNCTION make_partitions_ahead(quarters integer, today date DEFAULT current_date) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    parent text;
    start_of date;
    end_of date;
    partition_name text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('parking partitions'));
    FOR parent IN SELECT table_name FROM partitioned_by_quarter ORDER BY table_name LOOP
        FOR number IN 0..quarters LOOP
            start_of := (date_trunc('quarter', today) + make_interval(months => 3 * number))::date;
            end_of := (start_of + interval '3 months')::date;
            partition_name := format('%s_%s_q%s', parent, extract(year FROM start_of), extract(quarter FROM start_of));
            CONTINUE WHEN to_regclass(partition_name) IS NOT NULL;
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition_name, parent);
            EXECUTE format(
                'WITH moved AS (DELETE FROM %I WHERE entered_at >= %L AND entered_at < %L RETURNING *) '
                'INSERT INTO %I SELECT * FROM moved',
                parent || '_default', start_of, end_of, partition_name
            );
            EXECUTE format(
                'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                parent, partition_name, start_of, end_of
            );
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END;
$$;

-- Partitions that ended before the retention leave their parent; they stay as tables until somebody has archived
-- and dropped them.
CREATE FUNCTION detach_old_partitions(kept_quarters integer, today date DEFAULT current_date) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    old record;
    oldest date := (date_trunc('quarter', today) - make_interval(months => 3 * kept_quarters))::date;
    detached integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('parking partitions'));
    FOR old IN
        SELECT parent.relname AS parent_name, child.relname AS child_name
        FROM pg_inherits
        JOIN pg_class parent ON parent.oid = inhparent
        JOIN pg_class child ON child.oid = inhrelid
        JOIN partitioned_by_quarter ON table_name = parent.relname
        WHERE child.relname ~ '_[0-9]{4}_q[1-4]$'
          AND to_date(substring(child.relname FROM '([0-9]{4})_q[1-4]$'), 'YYYY')
              + make_interval(months => 3 * (right(child.relname, 1)::integer - 1)) < oldest
        ORDER BY child.relname
    LOOP
        EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', old.parent_name, old.child_name);
        detached := detached + 1;
    END LOOP;
    RETURN detached;
END;
$$;
