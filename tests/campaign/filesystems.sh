#!/usr/bin/env bash
# Round trips on volumes of ext4, XFS and Btrfs, and media that fill up or vanish: tests/campaign/filesystems.sh
# As root, with mkfs.ext4, mkfs.xfs and mkfs.btrfs; takes about 14 GiB of temporary space.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export OB_CAMPAIGN=full
dotnet test tests/MSOnlineBackup.Engine.Tests --filter FullyQualifiedName~FileSystemTests --logger 'console;verbosity=detailed'
dotnet test tests/MSOnlineBackup.Host.Tests --filter FullyQualifiedName~TroubleTests --logger 'console;verbosity=detailed'
