"""What a network is made of: shapes, and records that a user registers."""
