using System.CommandLine;
using System.Globalization;
using MSOnlineBackup.Agent.Policies;

namespace MSOnlineBackup.Host.Commands;

/// <summary>The own retention of a copy: every point for so many days, and one of each week, month and year for longer.</summary>
internal sealed class CopyRetentionOptions
{
    private readonly Option<string?> _days = New("--keep-days", "Let the twin keep every point for N days, whatever the vault keeps: others are not copied, or deleted there.");
    private readonly Option<string?> _weeks = New("--keep-weeks", "And one of each week, the first from Sunday on, for N weeks.");
    private readonly Option<string?> _months = New("--keep-months", "And one of each month, the first of it, for N months.");
    private readonly Option<string?> _years = New("--keep-years", "And one of each year, the first of it, for N years.");

    public CopyRetentionOptions(Command command)
    {
        foreach (Option<string?> option in (Option<string?>[])[_days, _weeks, _months, _years])
        {
            command.Add(option);
        }
    }

    /// <summary>What was asked for; null for no retention.</summary>
    public RetentionPolicy? Read(CommandContext context)
    {
        int? days = Count(context, _days);
        int? weeks = Count(context, _weeks);
        int? months = Count(context, _months);
        int? years = Count(context, _years);
        if (days is null)
        {
            return (weeks ?? months ?? years) is null ? null : throw context.Invalid(
                $"The twin is to keep points for longer than --keep-days, and that was not given.", "Give --keep-days, for how many days every point is kept.", _days.Name);
        }

        var first = new DaysOfMonth([1], [], []);
        var retention = new RetentionPolicy(
            days.Value,
            weeks is null ? null : new WeeklyRetention(weeks.Value, [DayOfWeek.Sunday], []),
            months is null ? null : new MonthlyRetention(months.Value, first, []),
            years is null ? null : new YearlyRetention(years.Value, [1], first, []));
        PolicyLimits.Open.CheckRetention(retention);
        return retention;
    }

    private static Option<string?> New(string name, string description) => new(name) { Description = description, HelpName = "N" };

    private static int? Count(CommandContext context, Option<string?> option) => context.Get(option) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count
        : throw context.Invalid($"'{text}' is not a number for {option.Name}.", "Write a whole number.", text);
}
