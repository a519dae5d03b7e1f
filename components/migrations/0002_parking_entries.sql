-- Entries and exits of vehicles: by group of locations, then by quarter of the entry.

CREATE TABLE parking_entries (
    entry_id uuid NOT NULL DEFAULT gen_random_uuid(),
    location_id text NOT NULL,
    vehicle_plate text NOT NULL,
    entered_at timestamp with time zone NOT NULL,
    left_at timestamp with time zone,
    fee_cents bigint CHECK (fee_cents >= 0),
    CHECK (left_at >= entered_at),
    -- A unique key of a partitioned table has to contain what it is partitioned by.
    PRIMARY KEY (location_id, entered_at, entry_id)
) PARTITION BY LIST (location_id);

CREATE INDEX parking_entries_vehicle ON parking_entries (vehicle_plate, entered_at DESC);
-- Who is parked now: few rows of many.
CREATE INDEX parking_entries_inside ON parking_entries (location_id, vehicle_plate) WHERE left_at IS NULL;

CREATE TABLE parking_entries_group_1 PARTITION OF parking_entries
    FOR VALUES IN ('loc_1', 'loc_2', 'loc_3') PARTITION BY RANGE (entered_at);
CREATE TABLE parking_entries_group_2 PARTITION OF parking_entries
    FOR VALUES IN ('loc_4', 'loc_5', 'loc_6') PARTITION BY RANGE (entered_at);
CREATE TABLE parking_entries_others PARTITION OF parking_entries DEFAULT PARTITION BY RANGE (entered_at);

CREATE TABLE parking_entries_group_1_default PARTITION OF parking_entries_group_1 DEFAULT;
CREATE TABLE parking_entries_group_2_default PARTITION OF parking_entries_group_2 DEFAULT;
CREATE TABLE parking_entries_others_default PARTITION OF parking_entries_others DEFAULT;

INSERT INTO partitioned_by_quarter (table_name) VALUES
    ('parking_entries_group_1'), ('parking_entries_group_2'), ('parking_entries_others');

SELECT make_partitions_ahead(4);
