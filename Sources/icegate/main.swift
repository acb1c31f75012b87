print("icegate")
