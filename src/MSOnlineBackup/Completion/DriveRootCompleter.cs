using System.Collections;
using MSOnlineBackup.Drives;

namespace MSOnlineBackup.Completion;

/// <summary>Completes what a drive of recovery points may show: the newest point, all points, and the points of this machine by their times. Of other drives it knows nothing.</summary>
public sealed class DriveRootCompleter : ValueCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Tip)> Values(IDictionary bound)
    {
        ArgumentNullException.ThrowIfNull(bound);
        if (!string.Equals(bound["PSProvider"]?.ToString(), RecoveryDriveProvider.ProviderName, StringComparison.OrdinalIgnoreCase))
        {
            return [];
        }

        return [(DriveRoot.Latest, "The newest recovery point"), (DriveRoot.All, "All recovery points of the vault"), .. RecoveryPointCompleter.Points()];
    }
}
