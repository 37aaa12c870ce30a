package soak

// Judge says what has grown.
func Judge(all []Sample) []string { return judge(all) }
