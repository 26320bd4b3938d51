"""What later runs depend on: notices, accepted reports, exemptions, rejections, open requests, bindings and marks."""
