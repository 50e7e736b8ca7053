using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Sources.Windows;

/// <summary>Tells paths apart as Windows does, without their case: where a volume is mounted, Windows has it as it was mounted, and not as the folder is written.</summary>
internal sealed class WindowsPathComparer : IEqualityComparer<EntryPath>
{
    /// <summary>The only one.</summary>
    public static WindowsPathComparer Instance { get; } = new();

    /// <inheritdoc/>
    public bool Equals(EntryPath x, EntryPath y) => string.Equals(WtfName.FromBytes(x.Bytes), WtfName.FromBytes(y.Bytes), StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public int GetHashCode(EntryPath obj) => string.GetHashCode(WtfName.FromBytes(obj.Bytes), StringComparison.OrdinalIgnoreCase);
}
