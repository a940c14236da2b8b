from tests.driving import *
from nautilus_trader.model import *
from decimal import Decimal
H=3_600_000_000_000
S=1_000_000_000
M0=1_704_171_600_000_000_000 # 2024-01-02 05:00Z = midnight NY
def q(mid, at, symbol='AAPL', half=0.01, size=100000):
    return QuoteTick(equity(symbol).id, Price(mid-half,2), Price(mid+half,2), Quantity(size,0), Quantity(size,0), at, at)
class Q(Scripted):
    plan={}
    def on_start(self):
        for i in self.settings.instrument_ids: self.subscribe_quotes(i)
    def on_quote(self,quote):
        self.n+=1
        self.at_bar(self.n, quote)
class Buys2(Q):
    def at_bar(self,n,_):
        if n==2: self.buy(1000)
def show(name,d):
    print('==',name); 
    for t in d.record.trips: print('  trip',(t['ts']-M0)/H,t['reason'])
    for n in d.record.notices: print('  note',(n['ts']-M0)/H,n['kind'],n['reason'])
    for r in d.record.refusals[:3]: print('  ref',r['reason'])
    for f in d.record.fills: print('  fill',(f['ts']-M0)/H,f['side'],f['quantity'],f['price'])
    print('  eq',d.record.final_equity, 'peak',d.desk.breakers.state.peak,'day',d.desk.breakers.state.day_start, d.desk.breakers.state.state)
# (a) stale day roll: falls 1.4% in the day, then 0.7% next day, limit 2%
rows=[q(100,M0+1*H),q(100,M0+2*H)]+[q(100-0.1*k,M0+(3+k)*H) for k in range(15)]+[q(98.5,M0+25*H),q(97.9,M0+26*H),q(97.8,M0+27*H),q(97.7,M0+28*H),q(97.6,M0+29*H)]
show('a day roll stale', drive('backtest',Buys2,rows,risk={'max_daily_loss_pct':0.02},kind='quotes'))
# (b) gap through stop on next day
class Stop(Scripted):
    def at_bar(self,n,_):
        if n==1: self.buy(1000)
show('b gap', drive('backtest',Stop,bars([100,100,80,80,80]),risk={'max_daily_loss_pct':0.1,'default_stop_loss_pct':0.05}))
# (d) stale mark at fill: latency, two instruments
class D(Q):
    def at_bar(self,n,u):
        if n==3: self.buy(1000)
rows=[q(100,M0),q(50,M0+S,'MSFT'),q(100,M0+2*S),q(80,M0+int(2.05*S)),q(50.01,M0+3*S,'MSFT'),q(80.0,M0+4*S)]+[q(80+0.01*k,M0+5*S+k*S) for k in range(6)]
show('d stale mark', drive('backtest',D,rows,risk={'max_drawdown_pct':0.1},venue={'latency_ms':100},kind='quotes',symbols=('AAPL','MSFT')))
# (f) up tick
rows=[q(100,M0),q(100,M0+S),q(100,M0+2*S),q(115,M0+3*S)]+[q(100+0.01*k,M0+(4+k)*S) for k in range(6)]
show('f up tick', drive('backtest',Buys2,rows,risk={'max_drawdown_pct':0.1,'untrusted_jump_pct':0.25},kind='quotes'))
# (g) A tick confirmed by B
class G(Q):
    def at_bar(self,n,u):
        if n==3: self.buy(900)
        if n==4:
            self.submit_order(self.order_factory.market(self.settings.instrument_ids[1],OrderSide.BUY,Quantity(100,0)))
rows=[q(100,M0),q(50,M0,'MSFT'),q(100,M0+S),q(50,M0+S,'MSFT'),q(100,M0+2*S),q(85,M0+3*S)]+[q(50+0.01*k,M0+(4+k)*S,'MSFT') for k in range(4)]+[q(100,M0+9*S)]
show('g confirmed by B', drive('backtest',G,rows,risk={'max_drawdown_pct':0.1,'untrusted_jump_pct':0.25},kind='quotes',symbols=('AAPL','MSFT')))
# (h) same price
rows=[q(100,M0),q(100,M0+S),q(100,M0+2*S)]+[q(85,M0+(4+k)*S) for k in range(60)]
show('h same price', drive('backtest',Buys2,rows,risk={'max_drawdown_pct':0.1},kind='quotes'))
