using System.Text;
using MSOnlineBackup.Platform.Volumes;

namespace MSOnlineBackup.Engine.Tests.Sources.Rules;

/// <summary>Volumes by the paths that they are seen at; an ordinary disk elsewhere. Counts who asks.</summary>
internal sealed class FakeVolumes : IVolumeReader
{
    public static VolumeDescription Disk { get; } = new() { Place = "/", FileSystem = "ext4", Device = "/dev/sda1 8:1", Devices = ["sda1", "sda"] };

    public Dictionary<string, VolumeDescription> At { get; } = [];

    public int Asked { get; private set; }

    public VolumeDescription? Read(byte[] path)
    {
        Asked++;
        return At.GetValueOrDefault(Encoding.UTF8.GetString(path), Disk);
    }
}
