"""Makes a vendor's contract from the options of a command, as the operator does from its arguments."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from airflow_provider_userdata import registry
from airflow_provider_userdata.cli.check_arguments import OF_VENDORS
from airflow_provider_userdata.cli.field_texts import pairs, read_fields
from airflow_provider_userdata.delivery.preparing import FieldMap, Word
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.operators import arguments, gerosense_users, thymia_arguments
from airflow_provider_userdata.vendors import Vendor

Fields = Mapping[str, Word] | None


@dataclass(frozen=True)
class Contract:
    """What records are checked by.

    :param fields: where the vendor's fields come from; None if columns have the vendor's names.
    :param required: the columns that a table must have without `fields`.
    """

    vendor: Vendor
    fields: FieldMap | None
    required: Collection[str]

    @property
    def columns(self) -> Collection[str]:
        """The columns that a table must have."""
        return self.required if self.fields is None else self.fields.columns


def contract_of(asked: Namespace) -> Contract:
    """Return the contract of the chosen vendor.

    :raises ArgumentError: if an option is wrong, or another vendor's.
    """
    for vendor, names in OF_VENDORS.items():
        given = [name for name in names if vendor != asked.vendor and getattr(asked, name) is not None]
        if given:
            raise ArgumentError(f"--{given[0].replace('_', '-')} is an option for {vendor}, not for {asked.vendor}")
    fields = None if asked.fields is None else read_fields(asked.fields)
    make = _MAKERS.get(asked.vendor)
    if make is not None:
        return make(asked, fields)
    (contract,) = (one for one in registry.contracts() if one.name == asked.vendor)
    return Contract(contract(), arguments.field_map(fields, None), ())


def _thymia(asked: Namespace, fields: Fields) -> Contract:
    label = thymia_arguments.label_column(asked.user_label, fields)
    vendor = thymia_arguments.contract(
        "checked" if asked.upload_type is None else asked.upload_type,
        label=label,
        data_schema=asked.schema,
        pii=asked.pii or "refuse",
        pii_allowed=asked.pii_allowed or (),
    )
    return Contract(vendor, thymia_arguments.field_map(fields, label), () if label is None else (label,))


def _gerosense(asked: Namespace, fields: Fields) -> Contract:
    from airflow_provider_userdata.vendors.gerosense import GeroSense
    from airflow_provider_userdata.vendors.gerosense_direct import GeroSenseDirect
    from airflow_provider_userdata.vendors.gerosense_sample import DATA_TYPES
    from airflow_provider_userdata.vendors.gerosense_users import GeroSenseUsers

    if asked.data_type is None:
        raise ArgumentError(f"--data-type is missing: for GeroSense, say {' or '.join(sorted(DATA_TYPES))}")
    zone = arguments.time_zone("default_timezone", asked.default_timezone)
    samples = GeroSense(arguments.one_of("data_type", asked.data_type, DATA_TYPES), zone)
    register = None if asked.register is None else pairs("register", asked.register)
    columns = gerosense_users.columns(asked.user_id, register, mapped=fields is not None)
    required = gerosense_users.required_fields(columns)
    found = gerosense_users.field_map(fields, asked.user_id, register, required)
    if columns is None:
        return Contract(samples, found, required)
    many = GeroSenseUsers(samples, columns) if register is None else GeroSenseDirect(samples, columns)
    return Contract(many, found, required)


def _ptengine(asked: Namespace, fields: Fields) -> Contract:
    from airflow_provider_userdata.vendors.ptengine import USER_ID, Ptengine

    vendor = Ptengine(omits_empty=asked.empty_values == "omit")
    return Contract(vendor, arguments.field_map(fields, None, (USER_ID,)), (USER_ID,))


_MAKERS: Mapping[str, Callable[[Namespace, Fields], Contract]] = {
    "thymia": _thymia,
    "gerosense": _gerosense,
    "ptengine": _ptengine,
}
