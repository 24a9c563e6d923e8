"""Declares the command `check`."""

from __future__ import annotations

from airflow_provider_userdata import registry
from airflow_provider_userdata.cli.declared import OUTPUT, Command, argument

OF_VENDORS = {
    "thymia": ("upload_type", "user_label", "schema", "pii", "pii_allowed"),
    "gerosense": ("data_type", "default_timezone", "user_id", "register"),
    "ptengine": ("empty_values",),
}
"""The options that only one vendor has."""
OF_FILES = ("format", "encoding", "delimiter", "quote", "escape", "skip_lines", "records")
"""The options that say how files are written: arguments of `FileSource`."""

_EXAMPLES = """\
examples:
  check people.csv --vendor ptengine --fields 'user_id=id,plan'
  check 'moods/*.jsonl' --vendor thymia --user-label patient --schema mood.json
  check steps.csv --vendor gerosense --data-type steps --delimiter ';' --fields '{
      "device_name": "phone", "unit": Constant("count"), "value": "steps",
      "start_date": Timestamp("begun", "%Y-%m-%d %H:%M:%S", "Asia/Tokyo")}'
  check 'SELECT id AS user_id, plan FROM customers' --conn-id crm --vendor ptengine

exit codes:
  0: every record is valid
  1: some are rejected
  2: the check could not be made, or not to its end
"""

CHECK = Command(
    "check",
    "Check records as an upload would, without sending any, and say what is wrong with them",
    "check.check",
    (
        argument("source", nargs="+", metavar="SOURCE", help="files or globs, or with --conn-id a query"),
        argument("--vendor", required=True, choices=[one.name for one in registry.VENDORS], help="for whom they are"),
        argument(
            "--fields",
            help="where the vendor's fields come from: 'field=column,…', or the operator's argument `fields` as it "
            "stands in a DAG (default: columns have the vendor's names)",
        ),
        argument("--conn-id", metavar="ID", help="the Airflow connection of a database; SOURCE is the query"),
        argument("--upload-type", metavar="TYPE", help="Thymia: the type agreed with Thymia"),
        argument("--user-label", metavar="COLUMN", help="Thymia: the column with the label, of flat records"),
        argument("--schema", metavar="FILE", help="Thymia: the agreed format, a JSON Schema (data_schema)"),
        argument("--pii", choices=("refuse", "allow"), help="Thymia: what to do with personal data (default: refuse)"),
        argument("--pii-allowed", action="append", metavar="FIELD", help="Thymia: a field that may hold such data"),
        argument("--data-type", metavar="TYPE", help="GeroSense: steps or bpm"),
        argument("--default-timezone", metavar="ZONE", help="GeroSense: of times without an offset, as Asia/Tokyo"),
        argument("--user-id", metavar="COLUMN", help="GeroSense: the column with the user's id, for many users"),
        argument(
            "--register",
            metavar="COLUMNS",
            help="GeroSense's direct API: what registers users, 'biological_sex=column,year_of_birth=column'",
        ),
        argument("--empty-values", choices=("send", "omit"), help="Ptengine: what empty values do (default: send)"),
        argument("--format", metavar="NAME", help="of files: jsonl, json, csv, tsv or parquet (default: by ending)"),
        argument("--encoding", metavar="NAME", help="of files, such as cp932 or utf-16 (default: utf-8)"),
        argument("--delimiter", metavar="C", help="between cells of a table (default: a comma; a tab for tsv)"),
        argument("--quote", metavar="C", help='around cells (default: "; none: quotes are text)'),
        argument("--escape", metavar="C", help="before a character that is text (default: none)"),
        argument("--skip-lines", type=int, metavar="NUMBER", help="lines before the header (default: 0)"),
        argument("--records", metavar="PATH", help="where the list is in a JSON object, such as data.items"),
        argument("--limit", type=int, default=20, metavar="NUMBER", help="of reasons (default: %(default)s)"),
        argument("--keep", metavar="FOLDER", help="keep the rejected records in a file there, for `jq` and others"),
        OUTPUT,
    ),
    _EXAMPLES,
)
