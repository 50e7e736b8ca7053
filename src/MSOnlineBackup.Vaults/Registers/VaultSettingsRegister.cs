using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Registers;

/// <summary>The settings of a vault: each change is a numbered record of its own that the owner signs, and the newest holds.</summary>
internal sealed class VaultSettingsRegister(KnownVault vault)
{
    private readonly OwnerSeries<VaultSettings> _series = new(vault, VaultLayout.Settings, RegisterJson.Default.VaultSettings);

    /// <summary>The settings that hold.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt: never is something taken for granted that the owner may have set otherwise.</exception>
    public async Task<VaultSettings> ReadAsync(CancellationToken cancellationToken) =>
        await ReadAsync(await _series.ListAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    /// <summary>Changes the settings, and returns them. What somebody else has changed meanwhile is seen, and kept.</summary>
    /// <param name="owner">The vault's owner.</param>
    /// <param name="change">From what holds to what is to hold; called again where somebody else was faster.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">ArgumentInvalid, VaultDataCorrupt, OwnerForeign; VaultImmutable where what is locked would be loosened.</exception>
    public async Task<VaultSettings> ChangeAsync(OwnerKey owner, Func<VaultSettings, VaultSettings> change, CancellationToken cancellationToken)
    {
        VaultSettings changed = null!;
        await _series.AppendAsync(
            owner,
            async numbers =>
            {
                VaultSettings current = await ReadAsync(numbers, cancellationToken).ConfigureAwait(false);
                changed = change(current);
                changed.Validate();
                if (changed.After(current) != changed)
                {
                    throw OwnerErrors.Locked(vault.Location, current.ImmutableDays);
                }

                return changed == current ? null : changed;
            },
            cancellationToken).ConfigureAwait(false);
        return changed;
    }

    // The newest holds, but for what was locked before it: so none of the earlier ones is passed over.
    private async Task<VaultSettings> ReadAsync(IReadOnlyList<uint> numbers, CancellationToken cancellationToken)
    {
        var held = new VaultSettings();
        await foreach (VaultSettings settings in ReadAhead.SelectAsync(
            numbers.Reverse(), vault.Objects.Capabilities.MaxConcurrency, ReadAsync, cancellationToken).ConfigureAwait(false))
        {
            held = settings.After(held);
        }

        return held;
    }

    private async Task<VaultSettings> ReadAsync(uint number, CancellationToken cancellationToken)
    {
        VaultSettings? settings = await _series.ReadAsync(number, cancellationToken).ConfigureAwait(false);
        string? fault = settings is null ? "they are truncated, are not settings, or are not signed by the vault's owner" : settings.Fault;
        return fault is null ? settings! : throw new BackupException(
            BackupErrorId.VaultDataCorrupt,
            $"The settings of the vault '{vault.Location}', in its object '{_series.NameOf(number)}', are damaged or forged: {fault}.",
            "Bring the object back from a copy of the vault. If there is none, delete it, and its copy if there is one: the other settings hold then. Backups and recoveries go on meanwhile.",
            _series.NameOf(number));
    }
}
