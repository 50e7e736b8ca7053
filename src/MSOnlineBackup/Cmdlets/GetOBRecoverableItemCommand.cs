using System.Management.Automation;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Drives;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Lists the recovery points of a source, what lies in an item, or the items below a place whose names match.</summary>
[Cmdlet(VerbsCommon.Get, "OBRecoverableItem", DefaultParameterSetName = Browse)]
[OutputType(typeof(OBRecoverableItem))]
public sealed class GetOBRecoverableItemCommand : RecoveryCmdlet
{
    private const string Search = "RecoverySearch";
    private const string Browse = "RecoveryBrowse";
    private const string BySource = "RecoverySource";

    /// <summary>The name that is looked for, in upper or lower case; it may have wildcards. All items, if it is not given.</summary>
    [Parameter(Position = 0, ParameterSetName = Search)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string SearchString { get; set; } = "*";

    /// <summary>The folder in the recovery point below which to search: its full path.</summary>
    [Parameter(Mandatory = true, Position = 1, ParameterSetName = Search)]
    [ArgumentCompleter(typeof(ItemPathCompleter))]
    [ValidateNotNullOrEmpty]
    public string Location { get; set; } = "";

    /// <summary>The recovery point to search: any item of it, or its id or time.</summary>
    [Parameter(Mandatory = true, Position = 2, ValueFromPipeline = true, ParameterSetName = Search)]
    [ArgumentCompleter(typeof(RecoveryPointCompleter))]
    public OBRecoverableItem RecoveryPoint { get; set; } = null!;

    /// <summary>The folder whose items are wanted.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = Browse)]
    [ArgumentCompleter(typeof(RecoveryPointCompleter))]
    public OBRecoverableItem ParentItem { get; set; } = null!;

    /// <summary>The source whose recovery points are wanted, or the path of one of this machine.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = BySource)]
    [ArgumentCompleter(typeof(RecoverableSourceCompleter))]
    public OBRecoverableSource Source { get; set; } = null!;

    /// <summary>Returns a page at a time: the same call with the same context returns the next one. Everything, if it is not given.</summary>
    [Parameter(Position = 3, ValueFromPipeline = true, ParameterSetName = Search)]
    [Parameter(Position = 1, ValueFromPipeline = true, ParameterSetName = Browse)]
    public OBPagingContext? PagingContext { get; set; }

    private string? _typed;

    /// <inheritdoc/>
    protected override void Process()
    {
        // What is typed may be relative to where one is; what comes from a recovery point is absolute.
        if (ParameterSetName == BySource && Source.ServerName.Length == 0 && IsRelative(Source.RecoverySourceName))
        {
            _typed = Source.RecoverySourceName;
            Source = OBRecoverableSource.Parse(Path.TrimEndingDirectorySeparator(FullPath(Source.RecoverySourceName)));
        }

        // An item tells its time, too.
        Location = DriveRoot.PathOf(Location);
        if (ParameterSetName == Search && IsRelative(Location))
        {
            Location = FullPath(Location);
        }

        Run(ParameterSetName switch
        {
            BySource => ListPointsAsync,
            Search => SearchAsync,
            _ => BrowseAsync,
        });
    }

    private static bool IsRelative(string path) =>
        !PolicyScope.All.Any(scope => scope.SourceName == path) && !path.StartsWith('/') && path is not [>= 'A' and <= 'Z' or >= 'a' and <= 'z', ':', ..] && !path.StartsWith(@"\\", StringComparison.Ordinal);

    private async Task ListPointsAsync(CmdletPump pump, CancellationToken stop)
    {
        RecoveryArchive archive = await OpenAsync(Source.ServerName, Source.Access, stop).ConfigureAwait(false);
        bool isKnown = false;
        foreach (RecoveryPoint point in await ListAsync(pump, archive, stop).ConfigureAwait(false))
        {
            // Workloads have names instead of paths.
            if ((_typed is not null && WorkloadPoint.Of(point.Tags)?.Name == _typed ? point.ToRoot(_typed, archive.Access) : point.ToRoot(Source.RecoverySourceName, archive.Access)) is { } root)
            {
                isKnown = true;
                await pump.WriteObjectAsync(root).ConfigureAwait(false);
            }
        }

        if (!isKnown)
        {
            throw new BackupException(
                BackupErrorId.RecoveryPointNotFound,
                $"'{archive.MachineName}' has no recovery point of '{Source}'.",
                "Get-OBRecoverableSource lists the sources that have some.",
                Source.RecoverySourceName);
        }
    }

    private async Task BrowseAsync(CmdletPump pump, CancellationToken stop)
    {
        if (!ParentItem.IsDir)
        {
            return;
        }

        (RecoveryArchive archive, RecoveryPoint point) = await OpenPointAsync(ParentItem, stop).ConfigureAwait(false);
        string? path = ParentItem.IsWholePoint ? null : ParentItem.ItemNameGuid;

        // What a workload is to people comes before the files that it was made of.
        IEnumerable<OBRecoverableItem> databases = path is null && WorkloadPoint.Of(point.Tags) is not null
            ? point.ToDatabases(await ListAsync(pump, archive, stop).ConfigureAwait(false), archive.Access)
            : [];
        IAsyncEnumerable<OBRecoverableItem> files = archive.ListItemsAsync(point, path, recursive: false, stop).Select(item => item.ToOutput(point, archive.Access));
        await WriteAsync(pump, databases.ToAsyncEnumerable().Concat(files), $"{point.SessionId}:{path}", stop).ConfigureAwait(false);
    }

    private async Task SearchAsync(CmdletPump pump, CancellationToken stop)
    {
        (RecoveryArchive archive, RecoveryPoint point) = await OpenPointAsync(RecoveryPoint, stop).ConfigureAwait(false);
        var pattern = new WildcardPattern(SearchString, WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant);
        IAsyncEnumerable<OBRecoverableItem> found = archive.ListItemsAsync(point, Location, recursive: true, stop)
            .Skip(1)
            .Where(item => pattern.IsMatch(item.Name))
            .Select(item => item.ToOutput(point, archive.Access));
        await WriteAsync(pump, found, $"{point.SessionId}:{Location}:{SearchString}", stop).ConfigureAwait(false);
    }

    private async Task<(RecoveryArchive Archive, RecoveryPoint Point)> OpenPointAsync(OBRecoverableItem item, CancellationToken stop)
    {
        RecoveryArchive archive = await OpenAsync(item.ServerName, item.Access, stop).ConfigureAwait(false);
        return (archive, await archive.FindAsync(item.RecoveryPointId, stop).ConfigureAwait(false));
    }

    private async Task WriteAsync(CmdletPump pump, IAsyncEnumerable<OBRecoverableItem> items, string question, CancellationToken stop)
    {
        IAsyncEnumerable<OBRecoverableItem> wanted = PagingContext is null
            ? items
            : items.Skip(PagingContext.Begin(question)).Take(OBPagingContext.PageSize);
        await foreach (OBRecoverableItem item in wanted.WithCancellation(stop).ConfigureAwait(false))
        {
            await pump.WriteObjectAsync(item).ConfigureAwait(false);
            PagingContext?.Advance();
        }
    }
}
