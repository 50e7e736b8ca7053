using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Finds in which versions recovery points have the items whose names match.</summary>
[Cmdlet(VerbsCommon.Find, "OBRecoverableItem")]
[OutputType(typeof(OBItemVersion))]
public sealed class FindOBRecoverableItemCommand : RecoveryCmdlet
{
    private readonly List<OBRecoverableItem> _wanted = [];

    /// <summary>The name that is looked for, or the full path, in upper or lower case; it may have wildcards.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string SearchString { get; set; } = "";

    /// <summary>The recovery points to search: from Get-OBAllRecoveryPoints, any items of them, or their ids or times. All of this machine, if none is given.</summary>
    [Parameter(Position = 1, ValueFromPipeline = true)]
    [ArgumentCompleter(typeof(RecoveryPointCompleter))]
    [ValidateNotNullOrEmpty]
    public OBRecoverableItem[]? RecoveryPoint { get; set; }

    /// <inheritdoc/>
    protected override void Process() => _wanted.AddRange(RecoveryPoint ?? []);

    /// <inheritdoc/>
    protected override void Finish()
    {
        if (_wanted.Count == 0 && MyInvocation.ExpectingInput)
        {
            return;
        }

        Run(async (pump, stop) =>
        {
            if (_wanted.Count == 0)
            {
                RecoveryArchive own = await OpenAsync("", null, stop).ConfigureAwait(false);
                await FindAsync(pump, own, await ListAsync(pump, own, stop).ConfigureAwait(false), stop).ConfigureAwait(false);
                return;
            }

            foreach (IGrouping<(string, VaultAccess?), OBRecoverableItem> machine in _wanted.GroupBy(item => (item.ServerName, item.Access)))
            {
                RecoveryArchive archive = await OpenAsync(machine.Key.Item1, machine.Key.Item2, stop).ConfigureAwait(false);
                var points = new List<RecoveryPoint>();
                foreach (string id in machine.Select(item => item.RecoveryPointId).Distinct())
                {
                    points.Add(await archive.FindAsync(id, stop).ConfigureAwait(false));
                }

                await FindAsync(pump, archive, [.. points.DistinctBy(point => point.SessionId)], stop).ConfigureAwait(false);
            }
        });
    }

    private async Task FindAsync(CmdletPump pump, RecoveryArchive archive, IReadOnlyList<RecoveryPoint> points, CancellationToken stop)
    {
        IndexedVault index = await archive.IndexAsync(stop).ConfigureAwait(false);
        var told = new HashSet<string>(StringComparer.Ordinal);
        await foreach (ItemVersion version in index
            .FindVersionsAsync(points, SearchString, ignoreCase: true, stop, damage => Warn(pump, told, damage)).ConfigureAwait(false))
        {
            await pump.WriteObjectAsync(version.ToOutput(archive.Access)).ConfigureAwait(false);
        }
    }
}
