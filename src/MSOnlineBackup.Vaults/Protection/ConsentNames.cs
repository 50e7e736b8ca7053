using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Protection;

/// <summary>
/// The objects of all consents, as they are listed. Those up to the highest <c>consents/NUMBER.over</c> are over for ever: it is written before the first of them is deleted, so
/// whoever puts back a copy of one that was used, or has expired, has nothing by it.
/// </summary>
/// <param name="objects">What is there, by number and kind.</param>
internal sealed class ConsentNames(IReadOnlyList<(StoredObject Object, uint Number, StoredKind Kind)> objects)
{
    // A consent is good for a day at most; the rest is for clocks.
    private static readonly TimeSpan _longest = TimeSpan.FromDays(2);

    /// <summary>Up to which number all are over; 0 for none.</summary>
    public uint Over => NewestOf(StoredKind.ConsentsOver);

    /// <summary>The highest number that was ever used, as far as anything tells.</summary>
    public uint Newest => objects.Select(found => found.Number).DefaultIfEmpty().Max();

    /// <summary>Lists them.</summary>
    public static async Task<ConsentNames> ListAsync(IVaultStore store, CancellationToken cancellationToken)
    {
        var found = new List<(StoredObject, uint, StoredKind)>();
        await foreach (StoredObject stored in store.ListAsync(VaultLayout.Consents, cancellationToken).ConfigureAwait(false))
        {
            if (VaultLayout.TryParseConsent(stored.Name, out uint number, out StoredKind kind) && number is > 0 and <= NumberedSeries.Last)
            {
                found.Add((stored, number, kind));
            }
        }

        return new ConsentNames(found);
    }

    /// <summary>
    /// Deletes what can be good for nothing any more: consents that the store has had for longer than any is good, and so that all before them are, too; whether they were used,
    /// or expired, or are none.
    /// </summary>
    /// <param name="store">The vault.</param>
    /// <param name="now">The time by the clock of the store. One that leapt ahead ends consents that somebody was just given: then they ask for others.</param>
    /// <param name="cancellationToken">Stops it; the next run goes on.</param>
    /// <returns>How many objects were deleted.</returns>
    public async Task<int> TidyAsync(IVaultStore store, DateTimeOffset now, CancellationToken cancellationToken)
    {
        uint young = objects.Where(found => found.Kind != StoredKind.ConsentsOver && now - found.Object.Created < _longest).Select(found => found.Number).DefaultIfEmpty(uint.MaxValue).Min();
        uint over = Math.Max(Over, objects.Where(found => found.Number < young).Select(found => found.Number).DefaultIfEmpty().Max());
        if (over == 0)
        {
            return 0;
        }

        // This first, or what is deleted could be put back; then the consents, and what says that they were used last.
        List<StoredObject> dead =
        [
            .. objects.Where(found => found.Number <= over && !(found.Kind == StoredKind.ConsentsOver && found.Number == over))
                .OrderBy(found => found.Kind).Select(found => found.Object),
        ];
        if (dead.Count > 0 && over > Over)
        {
            await store.TryCreateAsync(VaultLayout.ConsentsOver(over), "{}"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        }

        foreach (StoredObject found in dead)
        {
            await store.DeleteAsync(found.Name, cancellationToken).ConfigureAwait(false);
        }

        return dead.Count;
    }

    private uint NewestOf(StoredKind kind) => objects.Where(found => found.Kind == kind).Select(found => found.Number).DefaultIfEmpty().Max();
}
