package main

import (
	"runtime"
	"runtime/debug"
)

// release is the version of this source tree, as CHANGELOG.md counts.
const release = "0.1.0"

// version names the release, the commit if the build knows it, and the Go
// version.
func version() string {
	text := "steelyard " + release
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" && len(setting.Value) >= 12 {
				text += " " + setting.Value[:12]
			}
		}
	}
	return text + " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
}
