"""What is kept: tables, transactions, the outbox, the vault. The only room that knows S3."""
