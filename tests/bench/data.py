import csv
import json
import os
import time

folder = os.environ["BENCH_DATA"]


def read(name, f):
    start = time.perf_counter()
    f()
    print(name, (time.perf_counter() - start) * 1e3)


def table():
    with open(folder + "/table.csv") as file:
        rows = csv.reader(file)
        names = next(rows)
        return dict(zip(names, zip(*(map(float, row) for row in rows))))


def parsed(name):
    with open(folder + name) as file: return json.load(file)


read("csv", table)
read("json_numbers", lambda: parsed("/numbers.json"))
read("json_records", lambda: parsed("/records.json"))
