"""Two databases that judge answers: DuckDB in this process, PostgreSQL as its child over a Unix socket in a folder of its own.

Reads one JSON request a line and answers each with one line. Ends, and PostgreSQL with it, when its input ends. What an answer means is
for the reader: here every value only becomes text, by one printer for both. `judges.py LIMIT_SECONDS`, which one statement may take.
"""

import base64
import datetime
import decimal
import glob
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import duckdb
import psycopg
from psycopg.types.string import TextLoader

# An answer of more rows is no test of anything.
ROWS_MAX = 200_000
POSTGRES_WAIT_SECONDS = 60

# DuckDB's types in PostgreSQL's words; those with arguments keep them. A column of any other type is left out there.
POSTGRES_TYPES = {
    "BOOLEAN": "boolean",
    "TINYINT": "smallint",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "HUGEINT": "numeric(39)",
    "UTINYINT": "smallint",
    "USMALLINT": "integer",
    "UINTEGER": "bigint",
    "UBIGINT": "numeric(20)",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "VARCHAR": "text",
    "BLOB": "bytea",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "INTERVAL": "interval",
    "UUID": "uuid",
}

# What DuckDB and Mayfly have and PostgreSQL lacks, where it can be had in a line.
POSTGRES_ADDITIONS = [
    "CREATE AGGREGATE pg_catalog.min(boolean) (sfunc = booland_statefunc, stype = boolean)",
    "CREATE AGGREGATE pg_catalog.max(boolean) (sfunc = boolor_statefunc, stype = boolean)",
]


def postgres_type(duck):
    if duck.endswith("[]"):
        element = postgres_type(duck[:-2])
        return element and element + "[]"
    if duck.startswith("DECIMAL"):
        return duck.lower().replace("decimal", "numeric")
    return POSTGRES_TYPES.get(duck)


# PostgreSQL's types in DuckDB's words, without arguments.
DUCK_TYPES = {
    "boolean": "BOOLEAN",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double precision": "DOUBLE",
    "text": "VARCHAR",
    "character": "VARCHAR",
    "character varying": "VARCHAR",
    "name": "VARCHAR",
    "date": "DATE",
    "timestamp without time zone": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
    "numeric": "DECIMAL(38, 10)",
}


def duck_type(kind):
    if kind.startswith("numeric("):
        return kind.replace("numeric", "DECIMAL")
    return DUCK_TYPES.get(kind.partition("(")[0])


def text(value):
    """A value as JSON: text, None, or a list of such."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case float():
            return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(repr(value), repr(value))
        case decimal.Decimal():
            return format(value, "f") if value.is_finite() else str(value)
        case datetime.datetime():
            return instant(value)
        case datetime.date() | datetime.time():
            return value.isoformat()
        case datetime.timedelta():
            return interval(value)
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(bytes(value)).decode()
        case list() | tuple():
            return [text(item) for item in value]
        case dict():
            return [text(item) for item in value.values()]
        case _:
            return str(value)


def instant(value):
    zone = "" if value.tzinfo is None else " UTC"
    if zone:
        value = value.astimezone(datetime.timezone.utc)
    return value.strftime("%04Y-%m-%d %H:%M:%S.%f") .replace("%04Y", f"{value.year:04}") + zone


def interval(value):
    """As Trino shows an interval of days and seconds."""
    micros = value // datetime.timedelta(microseconds=1)
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    seconds, micros = divmod(micros, 1_000_000)
    days, seconds = divmod(seconds, 86_400)
    return f"{sign}{days} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{micros // 1000:03}"


class Duck:
    name = "duckdb"

    def __init__(self, folder, limit_seconds):
        self.limit_seconds = limit_seconds
        self.connection = duckdb.connect()
        for setting in [
            "threads = 2",
            "memory_limit = '1GB'",
            f"temp_directory = '{folder}'",
            "max_temp_directory_size = '1GB'",
            "TimeZone = 'UTC'",
            "integer_division = true",
            "default_null_order = 'nulls_last'",
            "autoinstall_known_extensions = false",
        ]:
            self.connection.execute(f"SET {setting}")

    def use(self, schema):
        self.connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        self.connection.execute(f'USE "{schema}"')

    def ask(self, schema, sql):
        self.use(schema)
        watch = threading.Timer(self.limit_seconds, self.connection.interrupt)
        watch.start()
        try:
            cursor = self.connection.execute(sql)
            rows = cursor.fetchmany(ROWS_MAX + 1) if cursor.description else []
            return [str(column[1]) for column in cursor.description or []], rows
        finally:
            watch.cancel()


class Postgres:
    name = "postgres"

    def __init__(self, folder, limit_seconds):
        programs = postgres_programs()
        owner = pwd.getpwnam(postgres_user()) if os.geteuid() == 0 else None
        # It refuses to run as root.
        self.identity = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}
        if owner:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data = os.path.join(folder, "data")
        self.run(
            [f"{programs}/initdb", "-D", data, "-U", "judge", "-A", "trust", "--no-sync", "-E", "UTF8"]
            + ["--locale=C", "--lc-ctype=C.UTF-8"],
            folder,
        )
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": folder,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "autovacuum": "off",
            "shared_buffers": "64MB",
            "work_mem": "32MB",
            "temp_file_limit": "2GB",
            "jit": "off",
            "max_parallel_workers_per_gather": "0",
            "timezone": "UTC",
            "statement_timeout": f"{limit_seconds}s",
            "client_min_messages": "error",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.log = open(os.path.join(folder, "log"), "w+")
        self.server = subprocess.Popen(
            [f"{programs}/postgres", "-D", data] + options,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            cwd=folder,
            start_new_session=True,
            **self.identity,
        )
        self.connection = self.connect(folder)
        for addition in POSTGRES_ADDITIONS:
            self.connection.execute("SET allow_system_table_mods = on")
            self.connection.execute(addition)
        for name in ["date", "timestamp"]:
            # Python's know neither infinity nor years beyond 9999.
            self.connection.adapters.register_loader(name, TextLoader)

    def run(self, command, folder):
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, **self.identity)
        if done.returncode != 0:
            raise SystemExit(f"{command}: {done.stderr}")

    def connect(self, folder):
        end = time.monotonic() + POSTGRES_WAIT_SECONDS
        while True:
            try:
                return psycopg.connect(host=folder, user="judge", dbname="postgres", autocommit=True)
            except psycopg.OperationalError as error:
                if self.server.poll() is not None or time.monotonic() > end:
                    self.log.seek(0)
                    raise SystemExit(f"PostgreSQL does not start: {error}\n{self.log.read()}")
                time.sleep(0.05)

    def use(self, schema):
        self.connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        self.connection.execute(f'SET search_path = "{schema}"')

    def ask(self, schema, sql):
        self.use(schema)
        cursor = self.connection.execute(sql)
        if not cursor.description:
            return [], []
        types = [column.type_display for column in cursor.description]
        rows = cursor.fetchmany(ROWS_MAX + 1)
        return types, [[padded(kind, cell) for kind, cell in zip(types, row)] for row in rows]

    def stop(self):
        # At once: nothing of it is wanted any more.
        self.server.send_signal(signal.SIGQUIT)
        self.server.wait()


def padded(kind, cell):
    """A timestamp's text with all six digits."""
    if cell is None or not kind.startswith("timestamp") or not isinstance(cell, str) or ":" not in cell:
        return cell
    whole, _, fraction = cell.partition(".")
    return f"{whole}.{fraction:0<6}"


def postgres_programs():
    versions = glob.glob("/usr/lib/postgresql/*/bin")
    found = shutil.which("initdb")
    if versions:
        return max(versions, key=lambda path: int(path.split("/")[4]))
    if found:
        return os.path.dirname(os.path.realpath(found))
    raise SystemExit("PostgreSQL is missing: install Debian's package postgresql, or another with initdb in the PATH")


def postgres_user():
    """Debian's package makes a user of its own; any but root does."""
    users = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in users else "nobody"


class Court:
    def __init__(self, folder, limit_seconds):
        spill, data = os.path.join(folder, "duckdb"), os.path.join(folder, "postgres")
        os.chmod(folder, 0o755)
        os.mkdir(spill)
        os.mkdir(data)
        self.duck = Duck(spill, limit_seconds)
        self.postgres = Postgres(data, limit_seconds)

    def answer(self, request):
        match request["op"]:
            case "ask":
                judge = self.duck if request["judge"] == "duckdb" else self.postgres
                types, rows = judge.ask(request["schema"], request["sql"])
                if len(rows) > ROWS_MAX:
                    return {"error": f"more than {ROWS_MAX} rows"}
                return {"types": types, "rows": [[text(cell) for cell in row] for row in rows]}
            case "write":
                self.write(**request["table"])
                return {}
            case "read":
                return {"left_out": self.read(**request["table"])}
            case "tables":
                return {"tables": self.tables(request["judge"], request["schema"])}
            case "export":
                return {"left_out": self.export(request["judge"], **request["table"])}
        raise ValueError(f"unknown request {request['op']}")

    def write(self, schema, table, columns, values, folder):
        """The rows as Parquet in two files, alternating."""
        self.duck.use(schema)
        run = self.duck.connection.execute
        run(f'CREATE TEMP TABLE writing ({columns})')
        try:
            if values:
                run(f"INSERT INTO writing VALUES {values}")
            os.makedirs(folder, exist_ok=True)
            for part in (0, 1):
                run(
                    f"COPY (SELECT * FROM writing WHERE rowid % 2 = {part} ORDER BY rowid) "
                    f"TO '{folder}/part-{part}.parquet' (FORMAT parquet)"
                )
        finally:
            run("DROP TABLE writing")

    def read(self, schema, table, folder):
        """Gives the files to both. Names the columns that PostgreSQL does not get."""
        self.duck.use(schema)
        self.postgres.use(schema)
        files = f"read_parquet('{folder}/*.parquet')"
        self.duck.connection.execute(f'CREATE OR REPLACE VIEW "{table}" AS SELECT * FROM {files}')
        described = self.duck.connection.execute(f"DESCRIBE SELECT * FROM {files}").fetchall()
        columns = [(name, kind, postgres_type(kind)) for name, kind, *_ in described]
        kept = [(name, kind, other) for name, kind, other in columns if other]
        list_of_columns = ", ".join(f'"{name}" {other}' for name, _, other in kept)
        run = self.postgres.connection.execute
        run(f'DROP TABLE IF EXISTS "{table}"')
        run(f'CREATE TABLE "{table}" ({list_of_columns})')
        self.fill(table, files, kept)
        run(f'ANALYZE "{table}"')
        return [name for name, _, other in columns if not other]

    def tables(self, judge, schema):
        """Names of what statements have made in the schema."""
        sql = (
            "SELECT DISTINCT table_name FROM information_schema.tables WHERE table_type = 'LOCAL TEMPORARY' "
            f"OR table_type = 'BASE TABLE' AND table_schema = '{schema}'"
        )
        judge = self.duck if judge == "duckdb" else self.postgres
        return [row[0] for row in judge.ask(schema, sql)[1]]

    def export(self, judge, schema, table, folder):
        """A judge's table as a Parquet file. Names the columns that it could not take along."""
        os.makedirs(folder, exist_ok=True)
        self.duck.use(schema)
        target = f"'{folder}/part.parquet' (FORMAT parquet)"
        if judge == "duckdb":
            self.duck.connection.execute(f'COPY "{table}" TO {target}')
            return []
        self.postgres.use(schema)
        run = self.postgres.connection.execute
        described = run(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
            f"WHERE attrelid = '\"{table}\"'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        ).fetchall()
        columns = [(name, duck_type(kind)) for name, kind in described]
        kept = [(name, kind) for name, kind in columns if kind]
        names = ", ".join(f'"{name}"' for name, _ in kept)
        text = os.path.join(folder, "rows.csv")
        with open(text, "wb") as file, self.postgres.connection.cursor() as cursor:
            with cursor.copy(f'COPY (SELECT {names} FROM "{table}") TO STDOUT (FORMAT csv, NULL \'\\N\')') as copy:
                for chunk in copy:
                    file.write(chunk)
        types = ", ".join(f"'{name}': '{kind}'" for name, kind in kept)
        self.duck.connection.execute(
            f"COPY (SELECT * FROM read_csv('{text}', columns = {{{types}}}, header = false, nullstr = '\\N', "
            f"delim = ',', quote = '\"', escape = '\"', auto_detect = false)) TO {target}"
        )
        os.remove(text)
        return [name for name, kind in columns if not kind]

    def fill(self, table, files, kept):
        selected = ", ".join(as_copied(name, kind) for name, kind, _ in kept)
        rows = self.duck.connection.execute(f"SELECT {selected} FROM {files}")
        with self.postgres.connection.cursor() as cursor:
            with cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
                while chunk := rows.fetchmany(10_000):
                    for row in chunk:
                        copy.write_row(row)


def as_copied(name, kind):
    """Instants as text: Python's stop at the year 9999."""
    quoted = f'"{name}"'
    is_text = kind.startswith("TIMESTAMP") or kind in ("DATE", "INTERVAL")
    return f"CAST({quoted} AS VARCHAR)" if is_text else quoted


def serve(court):
    for line in sys.stdin:
        try:
            answer = court.answer(json.loads(line))
        except Exception as error:  # Of whatever kind: the reader counts it against the judge.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def main():
    limit_seconds = int(sys.argv[1])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # An interrupt at the terminal reaches the whole group; the end of the input is what ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    folder = tempfile.mkdtemp(prefix="judges")
    court = None
    try:
        court = Court(folder, limit_seconds)
        print("ready", flush=True)
        serve(court)
    finally:
        if court:
            court.postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
