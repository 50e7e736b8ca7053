#!/usr/bin/env bash
# Round trips on volumes of ext4, XFS, Btrfs and FAT, and media that fill up or vanish: tests/campaign/filesystems.sh
# As root, with mkfs.ext4, mkfs.xfs, mkfs.btrfs and mkfs.vfat; takes about 14 GiB of temporary space.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
OB_CAMPAIGN=full dotnet test tests/MSOnlineBackup.Campaigns --filter FullyQualifiedName~Campaigns.Disks --logger 'console;verbosity=detailed'
