#!/usr/bin/env bash
# Kills running backups, maintenance and copies at random moments: tests/campaign/kill9.sh [ROUNDS=50]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
OB_CAMPAIGN=full OB_CAMPAIGN_ROUNDS=${1:-50} dotnet test tests/MSOnlineBackup.Campaigns \
    --filter FullyQualifiedName~KillTests --logger 'console;verbosity=detailed'
