namespace MSOnlineBackup.Host.Commands;

/// <summary><c>repair</c>: everything behind the header. Those below it do a part.</summary>
internal sealed class RepairCommand : RepairDataCommand
{
    public RepairCommand()
        : base("repair", "Mend a damaged vault: its data and its index. 'repair header' brings back a lost vault.json first.", "obengine repair --vault /mnt/backup --dry-run")
    {
        Add(new RepairDataCommand("data", "Mend damaged and missing data, and the index with it: the same as 'repair'.", "obengine repair data --vault /mnt/backup"));
        Add(new RepairIndexCommand());
        Add(new RepairHeaderCommand());
    }
}
