using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;

namespace MSOnlineBackup.Vaults.Registers;

/// <summary>A series of numbered records that the vault's owner signs. What nobody, or somebody else, has signed is never taken for one.</summary>
/// <param name="vault">The vault.</param>
/// <param name="folder">With the slash at its end.</param>
/// <param name="type">What the records hold.</param>
internal sealed class OwnerSeries<T>(KnownVault vault, string folder, JsonTypeInfo<T> type)
    where T : class
{
    private readonly NumberedSeries<T> _series = new(vault.Objects, folder, (name, content) => OwnerRecord.TryOpen(vault.Header, name, content, type));

    /// <inheritdoc cref="NumberedSeries{T}.NameOf"/>
    public string NameOf(uint number) => _series.NameOf(number);

    /// <inheritdoc cref="NumberedSeries{T}.FindNewestAsync"/>
    public Task<uint> FindNewestAsync(CancellationToken cancellationToken) => _series.FindNewestAsync(cancellationToken);

    /// <inheritdoc cref="NumberedSeries{T}.ListAsync"/>
    public Task<IReadOnlyList<uint>> ListAsync(CancellationToken cancellationToken) => _series.ListAsync(cancellationToken);

    /// <inheritdoc cref="NumberedSeries{T}.ReadAsync"/>
    public Task<T?> ReadAsync(uint number, CancellationToken cancellationToken) => _series.ReadAsync(number, cancellationToken);

    /// <summary>Appends a state, signed, and returns the number that holds then.</summary>
    /// <param name="owner">The vault's owner.</param>
    /// <param name="next">From all numbers, the highest first, to the state that is to follow it; null where nothing needs to.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">OwnerForeign, ArgumentInvalid where it is too long; VaultDataCorrupt where no number can follow.</exception>
    public Task<uint> AppendAsync(OwnerKey owner, Func<IReadOnlyList<uint>, Task<T?>> next, CancellationToken cancellationToken) => _series.AppendAsync(
        next,
        (name, state) => OwnerRecord.Seal(vault, owner, name, state, type),
        cancellationToken);
}

/// <summary>One record of the vault's owner.</summary>
internal static class OwnerRecord
{
    /// <summary>Signs a record.</summary>
    /// <exception cref="BackupException">OwnerForeign: the key is not that of the vault's owner. ArgumentInvalid: the record is too long.</exception>
    public static byte[] Seal<T>(KnownVault vault, OwnerKey owner, string name, T state, JsonTypeInfo<T> type)
    {
        if (owner.Identity != vault.Header.OwnerIdentity)
        {
            throw OwnerErrors.Foreign(vault.Location, "the signing key is another one");
        }

        byte[] content = RecordEnvelope.Sign(owner, vault.VaultId, name, JsonSerializer.SerializeToUtf8Bytes(state, type));
        return content.Length <= RecordEnvelope.MaxLength ? content : throw new BackupException(
            BackupErrorId.ArgumentInvalid,
            $"The settings would have {content.Length:N0} bytes as the record '{name}'; a record may have {RecordEnvelope.MaxLength:N0}.",
            "Make it shorter.",
            name);
    }

    /// <summary>What a record says; null where it is damaged, or the vault's owner has not signed it under this name.</summary>
    public static T? TryOpen<T>(VaultHeader header, string name, byte[] content, JsonTypeInfo<T> type)
        where T : class
    {
        if (header.OwnerIdentity is not { } owner
            || !RecordEnvelope.TrySplit(content, out ReadOnlySpan<byte> body, out RecordProof proof)
            || !proof.IsSigned(owner, header.VaultId, name, body))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(body, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
