"""The faces for machines: the REST API, its description, its tokens and its errors."""
