// The variant driver.
