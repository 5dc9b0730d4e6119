"""May a challenger become champion? A pure decision over what was measured, and the page that explains it."""
