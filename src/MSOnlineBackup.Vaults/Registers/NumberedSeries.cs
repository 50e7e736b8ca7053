using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Storage;


namespace MSOnlineBackup.Vaults.Registers;

/// <summary>
/// What changes in a vault whose objects do not: each state is an object of its own in one folder, numbered one higher than the one
/// before it. Small; proved by whoever wrote it.
/// </summary>
/// <param name="objects">The vault.</param>
/// <param name="folder">With the slash at its end.</param>
/// <param name="open">From an object's name and bytes to what it holds; null where it is damaged, or not signed by somebody who may.</param>
internal sealed class NumberedSeries<T>(IVaultStore objects, string folder, Func<string, byte[], T?> open)
    where T : class
{
    /// <summary>The highest number; 0 where there is none.</summary>
    public async Task<uint> FindNewestAsync(CancellationToken cancellationToken) =>
        NumberedSeries.NewestOf(await ListAsync(cancellationToken).ConfigureAwait(false));

    /// <summary>All numbers, the highest first.</summary>
    public async Task<IReadOnlyList<uint>> ListAsync(CancellationToken cancellationToken) =>
        (await NumberedSeries.ListAsync(objects, folder, cancellationToken).ConfigureAwait(false)).GetValueOrDefault(folder, []);

    /// <summary>The object's name.</summary>
    public string NameOf(uint number) => $"{folder}{number:x8}";

    /// <summary>What an object holds; null where it is missing, damaged or forged, and for 0.</summary>
    public async Task<T?> ReadAsync(uint number, CancellationToken cancellationToken)
    {
        if (number == 0)
        {
            return null;
        }

        return await ReadObjectAsync(NameOf(number), number, cancellationToken).ConfigureAwait(false)
            ?? (VaultLayout.HasCopies(folder) ? await ReadObjectAsync(VaultLayout.CopyBeside(NameOf(number)), number, cancellationToken).ConfigureAwait(false) : null);
    }

    /// <summary>Appends a state, and returns the number that holds then. Whoever loses a race for a number looks again at what there is.</summary>
    /// <param name="next">From all numbers, the highest first, to the state that is to follow; null where nothing needs to.</param>
    /// <param name="seal">From an object's name and its state to its bytes.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VaultDataCorrupt where no number can follow.</exception>
    public async Task<uint> AppendAsync(Func<IReadOnlyList<uint>, Task<T?>> next, Func<string, T, byte[]> seal, CancellationToken cancellationToken)
    {
        uint? lost = null;
        while (true)
        {
            IReadOnlyList<uint> numbers = await ListAsync(cancellationToken).ConfigureAwait(false);
            uint newest = NumberedSeries.NewestOf(numbers);
            if (await next(numbers).ConfigureAwait(false) is not { } state)
            {
                return newest;
            }

            if (newest == NumberedSeries.Last || newest == lost)
            {
                throw VaultDamage.Corrupt(NameOf(newest + 1), "its number can be neither used nor skipped");
            }

            byte[] content = seal(NameOf(newest + 1), state);
            if (await objects.TryCreateAsync(NameOf(newest + 1), content, cancellationToken).ConfigureAwait(false))
            {
                if (VaultLayout.HasCopies(folder))
                {
                    await objects.TryCreateAsync(VaultLayout.CopyBeside(NameOf(newest + 1)), content, cancellationToken).ConfigureAwait(false);
                }

                return newest + 1;
            }

            lost = newest;
        }
    }

    // A copy is proved as the record of its number: it is never taken for another one.
    private async Task<T?> ReadObjectAsync(string name, uint number, CancellationToken cancellationToken)
    {
        try
        {
            byte[]? content = await VaultHeader.ReadSmallAsync(objects, name, NumberedSeries.MaxLength, cancellationToken).ConfigureAwait(false);
            return content is null ? null : open(NameOf(number), content);
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return null;
        }
    }
}

/// <summary>What all series of numbered objects have in common.</summary>
internal static class NumberedSeries
{
    /// <summary>The highest number that counts.</summary>
    public const uint Last = 0x7fff_fffe;

    /// <summary>The longest object, in bytes.</summary>
    public const int MaxLength = Cryptography.RecordEnvelope.MaxLength;

    /// <summary>The highest of numbers that are listed; 0 where there is none.</summary>
    public static uint NewestOf(IReadOnlyList<uint> numbers) => numbers.Count > 0 ? numbers[0] : 0;

    /// <summary>The numbers in each folder below a prefix, the highest first. One of which only a copy is left counts.</summary>
    public static async Task<Dictionary<string, IReadOnlyList<uint>>> ListAsync(IVaultStore objects, string prefix, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, HashSet<uint>>();
        await foreach (StoredObject stored in objects.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            int last = stored.Name.LastIndexOf('/') + 1;
            string folder = stored.Name[..last];
            string first = VaultLayout.HasCopies(folder) ? VaultLayout.FirstOf(stored.Name) : stored.Name;
            if (VaultLayout.TryParseNumber(first.AsSpan(last), out uint number) && number is > 0 and <= Last)
            {
                if (!found.TryGetValue(folder, out HashSet<uint>? numbers))
                {
                    found.Add(folder, numbers = []);
                }

                numbers.Add(number);
            }
        }

        return found.ToDictionary(series => series.Key, series => (IReadOnlyList<uint>)[.. series.Value.OrderDescending()]);
    }
}
