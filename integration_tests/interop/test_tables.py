"""Tables on their way through databases, files, the network and models, and back."""

import datetime as dt
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Annotated, Literal

import pandas as pd
import pytest

pytestmark = pytest.mark.packages("pandas", "numpy")


@pytest.fixture
def orders():
    return pd.DataFrame(
        {
            "id": [1, 2, 3, 4],
            "customer": ["Ångström", "Bohr", "Curie", "Bohr"],
            "amount": [10.5, 0.1, float("nan"), 1e9],
            "paid": [True, False, True, True],
            "day": pd.to_datetime(["2026-01-31", "2026-02-28", "2026-03-29", "2026-12-31"]),
        }
    )


@pytest.mark.packages("sqlalchemy")
def test_a_table_goes_to_sql_and_back(orders):
    import sqlalchemy as sa

    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    with engine.begin() as connection:
        orders.to_sql("orders", connection, index=False, dtype={"day": sa.DateTime(), "paid": sa.Boolean()})
    with engine.connect() as connection:
        back = pd.read_sql_table("orders", connection)
    pd.testing.assert_frame_equal(back, orders, check_dtype=False)
    assert back["paid"].dtype == bool
    engine.dispose()


@pytest.mark.packages("sqlalchemy")
def test_sql_and_pandas_group_alike(orders):
    import sqlalchemy as sa

    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    with engine.begin() as connection:
        orders.to_sql("orders", connection, index=False)
        table = sa.Table("orders", sa.MetaData(), autoload_with=connection)
        query = sa.select(table.c.customer, sa.func.sum(table.c.amount).label("amount")).group_by(
            table.c.customer
        )
        from_sql = pd.read_sql(query, connection, index_col="customer")["amount"]
    from_pandas = orders.groupby("customer")["amount"].sum(min_count=1)
    pd.testing.assert_series_equal(from_sql.sort_index(), from_pandas.sort_index(), check_index_type=False)
    engine.dispose()


@pytest.mark.packages("openpyxl")
def test_a_table_goes_to_a_spreadsheet_and_back(orders, tmp_path):
    import openpyxl

    path = tmp_path / "orders.xlsx"
    orders.to_excel(path, sheet_name="Orders", index=False)
    sheet = openpyxl.load_workbook(path)["Orders"]
    assert [cell.value for cell in sheet[1]] == list(orders.columns)
    assert sheet["B2"].value == "Ångström"
    assert sheet["E3"].value == dt.datetime(2026, 2, 28)  # noqa: DTZ001  spreadsheets know no time zones
    back = pd.read_excel(path)
    pd.testing.assert_frame_equal(back, orders, check_dtype=False)


@pytest.mark.packages("h5py")
def test_arrays_of_a_table_go_to_hdf5_and_back(orders, tmp_path):
    import h5py
    import numpy as np

    path = tmp_path / "orders.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("orders")
        group.create_dataset("amount", data=orders["amount"].to_numpy(), compression="gzip", shuffle=True)
        group.create_dataset("customer", data=orders["customer"].tolist(), dtype=h5py.string_dtype())
        group.attrs["rows"] = len(orders)
    with h5py.File(path) as file:
        group = file["orders"]
        assert group.attrs["rows"] == 4
        np.testing.assert_array_equal(group["amount"][:], orders["amount"].to_numpy())
        assert [name.decode() for name in group["customer"][:]] == orders["customer"].tolist()


class _Orders(BaseHTTPRequestHandler):
    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(orders):
    handler = type(
        "Handler", (_Orders,), {"body": orders.to_json(orient="records", date_format="iso").encode()}
    )
    http = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}/orders"
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.mark.packages("requests", "httpx")
def test_two_clients_fetch_the_same_table(orders, server):
    import httpx
    import requests

    first = requests.get(server, timeout=30)
    second = httpx.get(server, timeout=30, trust_env=False)
    assert first.json() == second.json()
    table = pd.DataFrame(first.json()).astype({"day": "datetime64[ns]"})
    pd.testing.assert_frame_equal(table, orders, check_dtype=False)


@pytest.mark.packages("pydantic")
def test_rows_are_validated_by_a_model(orders):
    from pydantic import BaseModel, Field, ValidationError

    class Order(BaseModel):
        id: Annotated[int, Field(gt=0)]
        customer: Literal["Ångström", "Bohr", "Curie"]
        day: dt.datetime
        paid: bool

    rows = orders.drop(columns="amount").to_dict("records")
    models = [Order.model_validate(row) for row in rows]
    back = pd.DataFrame([json.loads(model.model_dump_json()) for model in models])
    assert back["customer"].tolist() == orders["customer"].tolist()
    assert pd.to_datetime(back["day"]).tolist() == orders["day"].tolist()
    with pytest.raises(ValidationError, match="greater than 0"):
        Order.model_validate(rows[0] | {"id": -1})
