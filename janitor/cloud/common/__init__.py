"""What the clients of all APIs share: sessions and tokens, walking through lists, reading records."""
