"""Checks the values of AWS resources (classes, versions, ranges, patterns) by cfn-lint's rules, region by region."""
