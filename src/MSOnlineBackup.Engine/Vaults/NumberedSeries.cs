using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.Storage;

namespace MSOnlineBackup.Engine.Vaults;

/// <summary>
/// What changes in a vault whose objects do not: each state is an object of its own in one folder, numbered one higher than the one
/// before it, and the highest number holds. Small plain JSON.
/// </summary>
/// <param name="objects">The vault.</param>
/// <param name="folder">With the slash at its end.</param>
/// <param name="type">What the objects hold.</param>
internal sealed class NumberedSeries<T>(IVaultStore objects, string folder, JsonTypeInfo<T> type)
    where T : class
{
    private const int MaxLength = 64 << 10;

    /// <summary>The highest number; 0 where there is none.</summary>
    public async Task<uint> FindNewestAsync(CancellationToken cancellationToken) =>
        (await NumberedSeries.FindNewestAsync(objects, folder, cancellationToken).ConfigureAwait(false)).GetValueOrDefault(folder);

    /// <summary>The object's name.</summary>
    public string NameOf(uint number) => $"{folder}{number:x8}";

    /// <summary>What an object holds; null where it is missing, or damaged, and for 0.</summary>
    public async Task<T?> ReadAsync(uint number, CancellationToken cancellationToken)
    {
        if (number == 0)
        {
            return null;
        }

        try
        {
            byte[]? content = await VaultHeader.ReadSmallAsync(objects, NameOf(number), MaxLength, cancellationToken).ConfigureAwait(false);
            return content is null ? null : JsonSerializer.Deserialize(content, type);
        }
        catch (Exception e) when (e is JsonException or BackupException { IsDamage: true })
        {
            return null;
        }
    }

    /// <summary>Appends a state, and returns the number that holds then. Whoever loses a race for a number looks again at what there is.</summary>
    /// <param name="next">From the highest number to the state that is to follow it; null where nothing needs to.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultDataCorrupt where no number can follow.</exception>
    public async Task<uint> AppendAsync(Func<uint, Task<T?>> next, CancellationToken cancellationToken)
    {
        uint? lost = null;
        while (true)
        {
            uint newest = await FindNewestAsync(cancellationToken).ConfigureAwait(false);
            if (await next(newest).ConfigureAwait(false) is not { } state)
            {
                return newest;
            }

            if (newest == NumberedSeries.Last || newest == lost)
            {
                throw VaultDamage.Corrupt(NameOf(newest + 1), "the number can neither be used nor passed over");
            }

            byte[] content = JsonSerializer.SerializeToUtf8Bytes(state, type);
            if (await objects.TryCreateAsync(NameOf(newest + 1), content, cancellationToken).ConfigureAwait(false))
            {
                return newest + 1;
            }

            lost = newest;
        }
    }
}

/// <summary>What all series of numbered objects have in common.</summary>
internal static class NumberedSeries
{
    /// <summary>The highest number that counts.</summary>
    public const uint Last = 0x7fff_fffe;

    /// <summary>The highest number in each folder below a prefix.</summary>
    public static async Task<Dictionary<string, uint>> FindNewestAsync(IVaultStore objects, string prefix, CancellationToken cancellationToken)
    {
        var newest = new Dictionary<string, uint>();
        await foreach (StoredObject found in objects.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            int last = found.Name.LastIndexOf('/') + 1;
            if (VaultLayout.TryParseNumber(found.Name.AsSpan(last), out uint number) && number <= Last)
            {
                string folder = found.Name[..last];
                newest[folder] = Math.Max(newest.GetValueOrDefault(folder), number);
            }
        }

        return newest;
    }
}
