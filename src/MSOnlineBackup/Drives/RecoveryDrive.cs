using System.Management.Automation;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Drives;

/// <summary>A drive of PowerShell that shows recovery points. What it shows is opened when it is first needed, and stays open until the drive is removed.</summary>
/// <param name="given">The drive as it was asked for.</param>
/// <param name="root">What it shows, as its paths begin: <see cref="VolumeName"/>, and the folder that is its root.</param>
/// <param name="description">What it shows, for people.</param>
/// <param name="point">The point; null for all of the vault.</param>
/// <param name="access">The way into the vault; null for this machine's own.</param>
internal sealed class RecoveryDrive(PSDriveInfo given, string root, string description, RecoveryPoint? point, VaultAccess? access)
    : PSDriveInfo(given.Name, given.Provider, root, description, given.Credential)
{
    private readonly Lock _gate = new();
    private RecoveryVolume? _volume;
    private bool _isRemoved;

    /// <summary>How paths of what it shows begin: a point's id, or a word for all points.</summary>
    public string VolumeName { get; } = DrivePath.Split(root)[0];

    /// <summary>The way into the vault; null for this machine's own.</summary>
    public VaultAccess? Access => access;

    /// <summary>Whether another drive shows the same vault in the same way.</summary>
    public bool IsOf(VaultAccess? other) =>
        (access is null && other is null) || (access is not null && other is not null && access.Vault.Location == other.Vault.Location && access.Passphrase == other.Passphrase);

    /// <summary>What it shows. Whoever asks uses it: <see cref="RecoveryVolumes.Release"/>.</summary>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultUnreachable, …; the next attempt is another one.</exception>
    public async Task<RecoveryVolume> OpenAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_volume is { } open)
            {
                RecoveryVolumes.OfSession.Use(open);
                return open;
            }
        }

        RecoveryVolume volume = await RecoveryVolumes.OfSession.OpenAsync(access, point, cancellationToken).ConfigureAwait(false);
        lock (_gate)
        {
            if (_volume is null && !_isRemoved)
            {
                RecoveryVolumes.OfSession.Use(volume);
                _volume = volume;
            }
        }

        return volume;
    }

    /// <summary>Frees what it holds: the vault, and the passphrase.</summary>
    /// <param name="keepsPassphrase">Whether another drive has the passphrase.</param>
    public void Close(bool keepsPassphrase = false)
    {
        RecoveryVolume? volume;
        lock (_gate)
        {
            _isRemoved = true;
            (volume, _volume) = (_volume, null);
        }

        if (volume is not null)
        {
            RecoveryVolumes.OfSession.Release(volume);
        }

        if (!keepsPassphrase)
        {
            access?.Forget();
        }
    }
}
