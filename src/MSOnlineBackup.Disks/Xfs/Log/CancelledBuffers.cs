namespace MSOnlineBackup.Disks.Xfs.Log;

/// <summary>Places that were freed later in the log than whoever asks: what was written there before may by now be the content of a file.</summary>
internal sealed class CancelledBuffers
{
    private readonly Dictionary<(long Sector, int Count), int> _times = [];
    private readonly Dictionary<long, int> _timesOfSector = [];

    /// <summary>Counts one before anything is brought into place.</summary>
    public void Add(BufferItem item)
    {
        _times[(item.Sector, item.Count)] = _times.GetValueOrDefault((item.Sector, item.Count)) + 1;
        _timesOfSector[item.Sector] = _timesOfSector.GetValueOrDefault(item.Sector) + 1;
    }

    /// <summary>Goes by one: what comes after it was written after it was freed.</summary>
    public void Pass(BufferItem item)
    {
        Less(_times, (item.Sector, item.Count));
        Less(_timesOfSector, item.Sector);
    }

    public bool Has(long sector, int count) => _times.ContainsKey((sector, count));

    /// <summary>Whether one begins in a range.</summary>
    public bool HasAny(long sector, long count)
    {
        for (long i = 0; i < count && _timesOfSector.Count > 0; i++)
        {
            if (_timesOfSector.ContainsKey(sector + i))
            {
                return true;
            }
        }

        return false;
    }

    private static void Less<T>(Dictionary<T, int> times, T key)
        where T : notnull
    {
        if (times.TryGetValue(key, out int count) && count > 1)
        {
            times[key] = count - 1;
        }
        else
        {
            times.Remove(key);
        }
    }
}
