using MSOnlineBackup.Engine.Sources;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Engine.Backup;

/// <summary>What the rules say of the sources of one backup.</summary>
internal sealed class SourceVerdicts
{
    private readonly Dictionary<BackupSource, SourceVerdict> _verdicts = [];
    private readonly BackupRequest _request;

    private SourceVerdicts(BackupRequest request) => _request = request;

    /// <summary>Looks at the volumes of the sources, each once, and where there is a limit at how much they hold.</summary>
    /// <param name="request">The backup.</param>
    /// <param name="mounts">What is mounted.</param>
    /// <param name="earlier">What earlier points have of the sources.</param>
    /// <param name="stop">Stops it.</param>
    public static async Task<SourceVerdicts> FindAsync(BackupRequest request, IReadOnlyList<MountedVolume> mounts, Earlier earlier, CancellationToken stop)
    {
        var verdicts = new SourceVerdicts(request);
        if (request.OpenSource is not null && request.Volumes is null)
        {
            // Those are no trees of this machine.
            return verdicts;
        }

        SourceCheck check = request.Volumes is { } reader ? new SourceCheck(request.Rules, reader) : SourceCheck.OnThisSystem(request.Rules, mounts);
        foreach (BackupSource.Tree tree in request.Sources.OfType<BackupSource.Tree>())
        {
            SourceVerdict verdict = check.Check(tree.Path, tree.Selection);
            bool isMeant = request.ReadEverything && verdict.Refusal is { Id: BackupErrorId.SourceNotMounted };
            verdicts._verdicts[tree] = isMeant ? verdict with { Refusal = null } : verdict;
        }

        if (request.Rules.MostBytesOnVolume is { } most)
        {
            BackupSource[] taken = [.. request.Sources.Where(source => source is BackupSource.Tree && verdicts.Of(source).Refusal is null)];
            verdicts.Hold(taken, await Forecast.MeasureEachAsync(request with { Sources = taken }, earlier, stop).ConfigureAwait(false), most);
        }

        return verdicts;
    }

    /// <summary>What they say of a source.</summary>
    public SourceVerdict Of(BackupSource source) => _verdicts.GetValueOrDefault(source, SourceVerdict.Fine);

    /// <summary>What is selected of a source, with what the rules add.</summary>
    public SourceSelection SelectionOf(BackupSource.Tree source)
    {
        SourceSelection selection = source.Selection with { Rules = _request.Rules };
        return Of(source).LeftOut is { Count: > 0 } folders ? selection with { Exclude = [.. selection.Exclude, .. folders.Select(folder => folder + "/")] } : selection;
    }

    private void Hold(IReadOnlyList<BackupSource> sources, IReadOnlyList<long> sizes, long most)
    {
        foreach (IGrouping<string, (BackupSource Source, long Bytes)> volume in sources.Zip(sizes).GroupBy(each => Of(each.First).Volume ?? "", StringComparer.Ordinal))
        {
            long bytes = volume.Sum(each => each.Bytes);
            foreach ((BackupSource source, _) in volume.Where(_ => bytes > most))
            {
                string path = ((BackupSource.Tree)source).Path;
                _verdicts[source] = Of(source) with
                {
                    Refusal = new BackupException(
                        BackupErrorId.SourceTooLarge,
                        FormattableString.Invariant($"The source '{path}' is on a volume of which {bytes:N0} bytes are to be protected; the profile {_request.Rules.Name} allows {most >> 30:N0} GB a volume."),
                        "Leave something out, or use the profile Open, which has no such limit.",
                        path),
                };
            }
        }
    }
}
