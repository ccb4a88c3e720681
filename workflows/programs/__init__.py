"""Programs that learners connect to their account by OAuth 2.0: what they may do, until when."""
