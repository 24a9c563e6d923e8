"""A ledger that an earlier version wrote is read by this one."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.ledger import SqlLedger
from airflow_provider_userdata.sandbox import Sandbox

TABLES = """
CREATE TABLE userdata_ledger_entries (
    stream INTEGER NOT NULL,
    "key" BLOB NOT NULL,
    day INTEGER NOT NULL,
    fingerprint BLOB,
    claim BLOB,
    PRIMARY KEY (stream, "key")
) WITHOUT ROWID;
CREATE TABLE userdata_ledger_meta (
    name VARCHAR(32) NOT NULL,
    value VARCHAR(255) NOT NULL,
    PRIMARY KEY (name)
);
INSERT INTO userdata_ledger_meta VALUES('version','1');
INSERT INTO userdata_ledger_meta VALUES('secret','d82ee991db30aa72ada6b6e4d0d9f715523add43e5f9dce19c39d6984f412f52');
CREATE TABLE userdata_ledger_runs (
    stream INTEGER NOT NULL,
    run BLOB NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (stream, run)
);
CREATE TABLE userdata_ledger_streams (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    identity VARCHAR(32) NOT NULL,
    vendor VARCHAR(64) NOT NULL,
    address VARCHAR(300) NOT NULL,
    kind VARCHAR(300) NOT NULL,
    owner VARCHAR(32) NOT NULL,
    name VARCHAR(300) NOT NULL,
    keyed BOOLEAN NOT NULL,
    used BIGINT NOT NULL,
    expired INTEGER NOT NULL,
    UNIQUE (identity)
);
"""
"""As it stood in the database; days and seconds, which would expire, are the test's."""
ENTRIES = {
    "gerosense": """
INSERT INTO userdata_ledger_entries VALUES(1,X'C94782DD73B09A824C593E67A9AC204C',:day,NULL,NULL);
INSERT INTO userdata_ledger_entries VALUES(1,X'C94782DDA22EE6872229EDD3CF47DC02',:day,NULL,NULL);
INSERT INTO userdata_ledger_entries VALUES(1,X'C94782DDCBB3AA2CA372698636F136DA',:day,NULL,NULL);
INSERT INTO userdata_ledger_entries VALUES(1,X'C94782DDCC32C31ADE3B0E95B3360ABC',:day,NULL,NULL);
INSERT INTO userdata_ledger_entries VALUES(1,X'C94782DDF717D5A4DC280EEA4827F505',:day,NULL,NULL);
INSERT INTO userdata_ledger_streams
    VALUES(1,'269b6c76027897be93a02f78bb00b687','gerosense','sandbox','','','',0,:now,0);
""",
    "ptengine": """
INSERT INTO userdata_ledger_entries
    VALUES(1,X'110F27E511D686775BA132FAE38F78D2',:day,X'371B9647676105CDDEFB689F6271061A',NULL);
INSERT INTO userdata_ledger_entries
    VALUES(1,X'150C6A3CE3549F28D640AC0F17713B9E',:day,X'3AD9707B2C63BD34034B0FA42765EE4B',NULL);
INSERT INTO userdata_ledger_entries
    VALUES(1,X'2AC4651432619E81C4C55D01F6F36FCA',:day,X'504CD670B2B729BDC8C15CA6884CACC0',NULL);
INSERT INTO userdata_ledger_entries
    VALUES(1,X'7FAA994B21097258BE9C4DDB6FC9CEA5',:day,X'EAE143C395BBD119C951218DDEFBB529',NULL);
INSERT INTO userdata_ledger_entries
    VALUES(1,X'E363F70CDD99E96ABA3CA34D1BD1FC76',:day,X'9AA37438095FBBB4091F548D5BBA5CE3',NULL);
INSERT INTO userdata_ledger_runs VALUES(1,X'F6FC42039FBA3776',:now);
INSERT INTO userdata_ledger_streams
    VALUES(1,'3f4bc9218b7fc56d7c7aac8a22a430a8','ptengine','sandbox','','','',1,:now,0);
""",
}


@pytest.mark.parametrize("vendor", ["gerosense", "ptengine"])
def test_a_run_sends_only_what_the_ledger_of_an_earlier_version_lacks(
    vendor: str,
    run: Callable[..., Result],
    rows: Callable[..., list[dict[str, Any]]],
    ledger: Callable[..., SqlLedger],
    sandbox: Sandbox,
    tmp_path: Path,
) -> None:
    """Its keys and fingerprints are those of today."""
    file, now = tmp_path / "before.db", int(time.time())
    entries = ENTRIES[vendor].replace(":day", str(now // 86_400)).replace(":now", str(now))
    database = sqlite3.connect(file)
    database.executescript(TABLES + entries)
    database.close()

    ended = run(vendor, rows(vendor, 10), "2", ledger=ledger(vendor, "2", database=f"sqlite:///{file}"))

    assert ended.error is None
    assert (ended.report.unchanged, ended.report.delivered) == (5, 5)
    assert sandbox.vendors[vendor].counts.records == 5
