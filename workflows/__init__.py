"""What happens to a case: rules, commands, queries. Knows no Flask, no RQ, no boto3."""
