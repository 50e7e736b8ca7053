using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Mounts.Fuse;

/// <summary>
/// A folder on which a mount can be written to: the view stays below it as it is, and what is written goes into a layer that is removed with it. By the overlay of Linux,
/// which only root may use.
/// </summary>
public sealed class MountLayer
{
    /// <summary>What the layer's folder is called beside the record of its mount.</summary>
    public const string Name = "layer";

    private const int LeavingTries = 20;
    private static readonly TimeSpan _leavingPause = TimeSpan.FromMilliseconds(100);

    private readonly string _layer;
    private readonly string _folder;

    private MountLayer(string layer, string folder) => (_layer, _folder) = (layer, folder);

    /// <summary>Where the view itself is to be mounted.</summary>
    public string Below => BelowOf(_layer);

    /// <summary>Makes the layer's folders.</summary>
    /// <param name="layer">Where the layer is to be; a folder that is there is what a killed process has left.</param>
    /// <param name="folder">Where both are to be seen.</param>
    /// <exception cref="BackupException">MountUnavailable, MountFolderInvalid.</exception>
    public static MountLayer Prepare(string layer, string folder)
    {
        string full = MountFolder.Check(folder);
        if (!FuseMount.IsAvailable || Libc.EffectiveUser() != 0)
        {
            throw MountErrors.NotWritable(full);
        }

        Clean(layer);
        foreach (string one in (string[])[BelowOf(layer), Path.Combine(layer, "upper"), Path.Combine(layer, "work")])
        {
            Directory.CreateDirectory(one);
        }

        return new MountLayer(layer, full);
    }

    /// <summary>Lays the layer over the view, which is mounted below by now.</summary>
    /// <exception cref="BackupException">MountFailed.</exception>
    public void Lay()
    {
        int result = FuseDevice.MountOver(FuseOptions.Device, Below, Path.Combine(_layer, "upper"), Path.Combine(_layer, "work"), _folder);
        if (result < 0)
        {
            throw MountErrors.Failed(_folder, UnixSystem.Describe(-result));
        }
    }

    /// <summary>Takes it off again; nothing where somebody has done so.</summary>
    /// <param name="force">Whether it goes although somebody is in it.</param>
    /// <param name="clock">The clock.</param>
    /// <exception cref="BackupException">MountBusy.</exception>
    public async Task LiftAsync(bool force, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        for (int tries = 0; MountFolder.IsMounted(_folder) && FuseDevice.Unmount(_folder, lazily: false) < 0; tries++)
        {
            if (force)
            {
                _ = FuseDevice.Unmount(_folder, lazily: true);
                return;
            }

            // Whoever has just left may be in it for a moment still.
            if (tries == LeavingTries)
            {
                throw MountErrors.Busy(_folder);
            }

            await Task.Delay(_leavingPause, clock).ConfigureAwait(false);
        }
    }

    /// <summary>Removes a layer, and with it all that was written; nothing where none is there.</summary>
    public static void Clean(string layer)
    {
        if (Directory.Exists(layer))
        {
            MountFolder.Clean(BelowOf(layer));
            Directory.Delete(layer, recursive: true);
        }
    }

    private static string BelowOf(string layer) => Path.Combine(layer, "below");
}
