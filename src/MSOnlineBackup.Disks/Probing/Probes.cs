using MSOnlineBackup.Disks.Ext4;
using MSOnlineBackup.Disks.Fat;
using MSOnlineBackup.Disks.Ntfs;
using MSOnlineBackup.Disks.Reading;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Disks.Xfs;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Probing;

/// <summary>Finds out what a part of a disk holds.</summary>
internal static class Probes
{
    /// <summary>What is known, in the order in which it is asked: what hides a file system comes before those that it may look like.</summary>
    private static readonly Probe[] _all =
    [
        Containers.ProbeAsync,
        Ext4Volume.ProbeAsync,
        NtfsVolume.ProbeAsync,
        XfsVolume.ProbeAsync,
        ExFatVolume.ProbeAsync,
        FatVolume.ProbeAsync,
    ];

    /// <summary>Asks one after another.</summary>
    /// <param name="content">The part.</param>
    /// <param name="place">What messages call it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What it holds. An error of reading the disk is in it, too.</returns>
    public static async Task<PartContent> AskAsync(IDiskContent content, string place, CancellationToken cancellationToken)
    {
        try
        {
            foreach (Probe probe in _all)
            {
                if (await probe(content, place, cancellationToken).ConfigureAwait(false) is PartContent found)
                {
                    return found;
                }
            }

            return await Containers.OfNothingKnownAsync(content, place, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            return PartContent.Without(null, e);
        }
    }
}
