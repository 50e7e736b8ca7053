namespace MSOnlineBackup.Engine.Snapshots;

/// <summary>The points of this machine whose snapshots stay after their backups.</summary>
public static class LocalPoints
{
    // Snapshots hold on to all that was deleted since: with less than this share of a volume free, they give way.
    private const double LeastFree = 0.05;

    /// <summary>Lists them, newest first. Those of which somebody else has removed every snapshot are not among them.</summary>
    /// <param name="records">The folder in which snapshots are written down, as <see cref="SnapshotOptions.Records"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static Task<IReadOnlyList<LocalPoint>> ListAsync(string records, CancellationToken cancellationToken) =>
        ListAsync(SnapshotKit.ForThisSystem(), records, cancellationToken);

    /// <summary>The newest point that an id begins with, or with "latest" the newest; null where there is none.</summary>
    /// <param name="points">Among these, the newest first.</param>
    /// <param name="point">The beginning of an id, or "latest".</param>
    /// <param name="machine">Only of this machine, in upper or lower case; null for all.</param>
    public static LocalPoint? Find(IEnumerable<LocalPoint> points, string point, string? machine) => points.FirstOrDefault(each =>
        (machine is null || each.MachineName.Equals(machine, StringComparison.OrdinalIgnoreCase)) && (point == "latest" || each.Id.BeginsWith(point)));

    /// <summary>Removes points with their snapshots, and nothing else.</summary>
    /// <param name="records">The folder in which snapshots are written down.</param>
    /// <param name="which">Says which.</param>
    /// <param name="note">Told why something is still there.</param>
    /// <param name="cancellationToken">Stops it between two points.</param>
    /// <returns>How many were removed.</returns>
    public static Task<int> RemoveAsync(string records, Func<LocalPoint, bool> which, Action<string> note, CancellationToken cancellationToken) =>
        RemoveAsync(SnapshotKit.ForThisSystem(), records, which, note, cancellationToken);

    /// <summary>Whether a file in which snapshots are written down is of some that stay, so that they are no left-overs.</summary>
    public static bool Stays(string record) => LocalPointFile.Stays(record);

    /// <inheritdoc cref="ListAsync(string, CancellationToken)"/>
    internal static async Task<IReadOnlyList<LocalPoint>> ListAsync(SnapshotKit kit, string records, CancellationToken cancellationToken)
    {
        var points = new List<LocalPoint>();
        foreach (string record in SnapshotRecord.FindAll(records))
        {
            if (LocalPointFile.Read(record) is not { } state || (!state.Stays && !SnapshotRecord.IsHeld(record)))
            {
                continue;
            }

            IReadOnlyList<SnapshotMark> marks = SnapshotRecord.ReadMarks(record);
            (string? obstacle, bool isGone) = await LookAsync(kit, marks, cancellationToken).ConfigureAwait(false);
            if (!isGone)
            {
                points.Add(new LocalPoint(
                    record, state, marks, state.IsVaulted ? PointState.Vaulted : state.Stays ? PointState.Local : PointState.Uploading, obstacle));
            }
        }

        return [.. points.OrderByDescending(point => point.Started).ThenByDescending(point => point.Id)];
    }

    /// <inheritdoc cref="RemoveAsync(string, Func{LocalPoint, bool}, Action{string}, CancellationToken)"/>
    internal static async Task<int> RemoveAsync(SnapshotKit kit, string records, Func<LocalPoint, bool> which, Action<string> note, CancellationToken cancellationToken)
    {
        int removed = 0;
        foreach (LocalPoint point in (await ListAsync(kit, records, cancellationToken).ConfigureAwait(false)).Where(point => point.State != PointState.Uploading).Where(which))
        {
            cancellationToken.ThrowIfCancellationRequested();
            removed += await RemoveAsync(kit, point.Record, $"the local point {point.Id.ToShortString()}", note).ConfigureAwait(false) ? 1 : 0;
        }

        await ForgetGoneAsync(kit, records).ConfigureAwait(false);
        return removed;
    }

    /// <summary>Removes what is too much of a series, oldest first, and what would fill a volume; and forgets points whose snapshots are gone.</summary>
    /// <param name="kit">What snapshots are made of.</param>
    /// <param name="records">The folder in which they are written down.</param>
    /// <param name="machine">Whose.</param>
    /// <param name="series">Of which series.</param>
    /// <param name="most">How many may stay.</param>
    /// <param name="note">Told of what somebody may want to know.</param>
    internal static async Task TidyAsync(SnapshotKit kit, string records, string machine, string series, int most, Action<string> note)
    {
        await ForgetGoneAsync(kit, records).ConfigureAwait(false);
        LocalPoint[] points =
        [
            .. (await ListAsync(kit, records, CancellationToken.None).ConfigureAwait(false)).Where(point =>
                point.State != PointState.Uploading && point.Series == series && point.MachineName.Equals(machine, StringComparison.OrdinalIgnoreCase)),
        ];
        foreach (LocalPoint point in points.Skip(most).Reverse())
        {
            await RemoveAsync(kit, point.Record, $"the local point {point.Id.ToShortString()}", note).ConfigureAwait(false);
        }

        // What the vault does not have is not given up for room.
        foreach (LocalPoint point in points.Take(most).Where(point => point.State == PointState.Vaulted).Reverse())
        {
            if (FindFull(kit, point) is { } volume && await RemoveAsync(kit, point.Record, $"the local point {point.Id.ToShortString()}", note).ConfigureAwait(false))
            {
                note($"The snapshots of the point {point.Id.ToShortString()} were removed, for less than a twentieth of '{volume}' is free. The vault has the point.");
            }
        }
    }

    /// <summary>Where the snapshots of a point are to be read now, by their names; and why those cannot be read that are not among them.</summary>
    internal static async Task<(IReadOnlyDictionary<string, (SnapshotMark Mark, byte[] Place)> Places, string? Obstacle)> FindPlacesAsync(
        SnapshotKit kit, LocalPoint point, CancellationToken cancellationToken)
    {
        var places = new Dictionary<string, (SnapshotMark, byte[])>();
        string? obstacle = null;
        foreach (SnapshotMark mark in point.Marks)
        {
            FoundSnapshot? found = kit.FindMaker(mark.Kind) is { } maker ? await maker.FindAsync(mark, cancellationToken).ConfigureAwait(false) : null;
            if (found?.Place is { } place)
            {
                places[mark.Name] = (mark, place);
            }
            else
            {
                obstacle ??= found?.Obstacle ?? $"This version knows no snapshots of the kind '{mark.Kind}'.";
            }
        }

        return (places, obstacle);
    }

    private static async Task<(string? Obstacle, bool IsGone)> LookAsync(SnapshotKit kit, IReadOnlyList<SnapshotMark> marks, CancellationToken cancellationToken)
    {
        string? obstacle = null;
        bool isGone = marks.Count > 0;
        foreach (SnapshotMark mark in marks)
        {
            FoundSnapshot? found = kit.FindMaker(mark.Kind) is { } maker ? await maker.FindAsync(mark, cancellationToken).ConfigureAwait(false) : null;
            obstacle ??= found?.Place is null ? found?.Obstacle ?? $"This version knows no snapshots of the kind '{mark.Kind}'." : null;
            isGone &= found is { IsGone: true };
        }

        return (obstacle, isGone);
    }

    private static string? FindFull(SnapshotKit kit, LocalPoint point) => point.Marks.Select(mark => mark.Volume).FirstOrDefault(volume =>
        Directory.Exists(volume) && kit.FreeShareOf(volume) < LeastFree);

    private static async Task ForgetGoneAsync(SnapshotKit kit, string records)
    {
        foreach (string record in SnapshotRecord.FindAll(records).Where(LocalPointFile.Stays))
        {
            if (LocalPointFile.Read(record) is not null
                && (await LookAsync(kit, SnapshotRecord.ReadMarks(record), CancellationToken.None).ConfigureAwait(false)).IsGone)
            {
                await RemoveAsync(kit, record, "a record of snapshots", static _ => { }).ConfigureAwait(false);
            }
        }
    }

    private static async Task<bool> RemoveAsync(SnapshotKit kit, string path, string what, Action<string> note)
    {
        if (SnapshotRecord.TryHold(path) is not { } record)
        {
            note($"The snapshots of {what} are in use and are still there.");
            return false;
        }

        // From here on they are left-overs: where it ends here, the next backup removes the rest.
        LocalPointFile.Delete(path);
        IReadOnlyList<(SnapshotMark Mark, string Why)> left = await kit.RemoveAsync(record.Read()).ConfigureAwait(false);
        if (left.Count == 0)
        {
            record.Remove();
            return true;
        }

        record.Dispose();
        note($"A snapshot of {what} is still there; the next backup tries again to remove it. {string.Join(' ', left.Select(each => each.Why))}");
        return false;
    }
}
