"""Objectives as arithmetic: budgets, rules, alerts, routes and dashboards from the catalogue; no resources."""
