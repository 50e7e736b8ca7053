using MSOnlineBackup.Vaults.Chunks;
using MSOnlineBackup.Vaults.Index;
using MSOnlineBackup.Vaults.Packs;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Vaults.Maintenance;

/// <summary>
/// Until when each pack is to be kept, in a vault that is immutable: as long as the youngest recovery point that needs something of it. Points are marked from the youngest on,
/// in steps of their age, so whoever marks a chunk first needs it the longest.
/// </summary>
/// <param name="time">For how long a recovery point is immutable.</param>
/// <param name="now">The time by the store's clock.</param>
internal sealed class ImmutableUntil(TimeSpan time, DateTimeOffset now)
{
    // A byte of memory a chunk tells the steps apart. Nothing is kept longer than it has to be by more than a step.
    private const int MostSteps = 200;

    private readonly TimeSpan _step = TimeSpan.FromTicks(Math.Max(time.Ticks / MostSteps, TimeSpan.TicksPerDay));
    private readonly List<DateTimeOffset> _until = [];

    /// <summary>Until when what everything depends on is to be kept: as long as any point. Null where no point is immutable any more.</summary>
    public DateTimeOffset? Last => _until.Count == 0 ? null : _until.Max();

    /// <summary>Until when a point is immutable by itself; null where that is over, or it is not known when it was made.</summary>
    public DateTimeOffset? Of(DateTimeOffset? created) => created + time is { } until && until > now ? until : null;

    /// <summary>The points in the order in which they are to be marked, those of a step together; what is not immutable comes last.</summary>
    /// <param name="points">The points.</param>
    /// <param name="marks">Is told the step before each part is taken.</param>
    public IEnumerable<IReadOnlyList<PointName>> InOrder(IEnumerable<PointName> points, ChunkMarks marks)
    {
        foreach (IGrouping<long, PointName> step in points.GroupBy(StepOf).OrderBy(group => group.Key))
        {
            // The last step takes what comes after it: it is kept no shorter.
            if (step.Key < long.MaxValue && _until.Count < byte.MaxValue)
            {
                _until.Add(step.Max(name => name.Object!.Value.Created) + time);
            }

            marks.Step = step.Key < long.MaxValue ? (byte)(_until.Count < byte.MaxValue ? _until.Count : _until.IndexOf(_until.Max()) + 1) : (byte)0;
            yield return [.. step];
        }

        marks.Step = 0;
    }

    /// <summary>Until when packs are to be kept; those that are not there need not be.</summary>
    /// <param name="index">The index as it is now.</param>
    /// <param name="marks">What is needed, in the index as it was when the points were marked.</param>
    /// <param name="isNew">Whether a pack has come since.</param>
    public IReadOnlyDictionary<PackInfo, DateTimeOffset> OfPacks(ChunkIndex index, ChunkMarks marks, Func<PackInfo, bool> isNew)
    {
        var packs = new Dictionary<PackInfo, DateTimeOffset>(ReferenceEqualityComparer.Instance);
        Gather(index, marks.Records, (_, first) => marks.StepAt(first), pack => !isNew(pack), packs);
        if (index.Packs.Any(isNew))
        {
            // Few: what this run has written anew.
            Gather(index, index.Consolidate(), (id, _) => marks.StepOf(id), isNew, packs);
        }

        return packs;
    }

    private void Gather(ChunkIndex index, IndexRecords records, Func<ChunkId, int, byte> stepOf, Func<PackInfo, bool> counts, Dictionary<PackInfo, DateTimeOffset> packs)
    {
        IReadOnlyList<PackInfo?> byNumber = index.PacksByNumber;
        ChunkId? last = null;
        int first = -1;
        for (IndexRecords.Pass pass = records.InOrder(); pass.MoveNext();)
        {
            // What is noted of a chunk is noted at the first of its records.
            if (pass.Id != last)
            {
                (last, first) = (pass.Id, pass.Number);
            }

            if (byNumber[IndexSegment.PackOf(pass.Record)] is { } pack && counts(pack) && stepOf(pass.Id, first) is > 0 and byte step
                && (!packs.TryGetValue(pack, out DateTimeOffset other) || other < _until[step - 1]))
            {
                packs[pack] = _until[step - 1];
            }
        }
    }

    private long StepOf(PointName name) => Of(name.Object?.Created) is { } until ? (now + time - until).Ticks / _step.Ticks : long.MaxValue;
}
