"""Where one shot ends and the next begins: small pictures, their distances over time, a small network, joins."""
