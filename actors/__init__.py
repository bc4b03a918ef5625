"""The processes: coordinator, master, region server, as asyncio classes over the seam."""
