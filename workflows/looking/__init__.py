"""What can be seen in sealed evidence: pictures of it, facts about it, and signals that inform."""
